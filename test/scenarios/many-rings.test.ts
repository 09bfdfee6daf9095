/** A leaver who could deploy the issuers of many rings: each step of the case fits into one run of its Lambda. */
import { importPeople } from '../../lambdas/people-import';
import { applyRingConfig } from '../../lambdas/ring-deployer';
import { TIME_OUTS } from '../../lib/domain/deployment/time-outs';
import { PREPARED_FOR } from '../../lib/domain/rings/rotation';
import { SharedClock } from '../../lib/local/clock';
import { World } from '../../lib/local/world';
import { loadRing } from '../../lib/work/rings/load-ring';
import { extent } from '../support/extent';
import { departureWorld, execute, metas, send, WORKER } from './departure-world';
import { AUDIENCE, NOW } from './signing-world';

/** One after another, sixteen would take longer than the conductor may run; at night, as many as births.test.ts has born. */
const IDS = Array.from({ length: extent(8, 30) }, (_, n) => `ring-${n}`);

test('lambda.killed: no step of a case about many rings is longer than its Lambda may run', async () => {
  const clock = new SharedClock(NOW);
  await clock.run(async () => {
    const world = await departureWorld((given) => new World({ ...given, clock }));
    await Promise.all(IDS.map((id) => applyRingConfig(configOf(id), world.deps('ring-deployer'))));
    await clock.sleep(3600);
    const exposures = IDS.map((id) => ({ asset: `ring:${id}`, class: 'could-deploy', how: 'deploys it', since: NOW }));
    await importPeople(
      { workers: [{ workerId: WORKER, principals: [], exposures }] },
      world.deps('people-import'),
      'AIDAIMPORTER0001',
    );
    await send(world);

    const begun: Record<string, number> = {};
    const longest: Record<string, number> = {};
    const [{ caseId = '' } = {}] = metas(world);
    await execute(world, caseId, 1, async ({ step }, run) => {
      const at = clock.now();
      begun[step] ??= at;
      const answer = await run();
      longest[step] = Math.max(longest[step] ?? 0, clock.now() - at);
      return answer;
    });
    const { prove: proof = 0, prepare = 0, ...steps } = longest;
    expect(proof).toBeLessThan(TIME_OUTS.prover.seconds);
    expect(Math.max(prepare, ...Object.values(steps))).toBeLessThan(TIME_OUTS.conductor.seconds);
    // Else a tick takes the first ring's successor for left alone, and disables it.
    expect((begun.taint ?? 0) - (begun.prepare ?? 0)).toBeLessThan(PREPARED_FOR);
    for (const id of IDS)
      expect((await loadRing({ tables: world.tables.parsed }, id)).keys[0]).toMatchObject({ state: 'DENIED' });
  });
});

function configOf(id: string) {
  const issuer = `https://id.shop.example/r/${id}`;
  return { id, issuer, audience: AUDIENCE, algorithm: 'ES256', periodSeconds: 30 * 86_400, maxTtlSeconds: 3600 };
}
