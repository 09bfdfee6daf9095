/** What the real waves of two tainted keys leave in the log, re-derived offline from the committed lists. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportBundle, folder } from '../../bin/commands/evidence';
import { commitIssued } from '../../lambdas/committer';
import { taintOrDeny } from '../../lambdas/taint';
import { judgeBundle } from '../../lib/domain/audit/bundle';
import {
  drainOutbox,
  issueTo,
  legacyClaims,
  pass,
  RING,
  record,
  ringOf,
  signingWorld,
  signLegacy,
  taintKeys,
} from './signing-world';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'curfew-wave-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test('every finished wave follows from the lists of issued tokens, and a changed list is found', async () => {
  const world = await signingWorld();
  const legacy = Array.from({ length: 20 }, (_, n) =>
    signLegacy(world, legacyClaims(world, `member-${n}`, `jti-${n}`)),
  );
  await record(world, legacy);
  for (let n = 0; n < 20; n++) await issueTo(world, `member-${n}`);
  await commitIssued({}, world.deps('committer'));

  world.clock.advance(world.config.settings.verifierCacheSeconds + world.config.settings.propagationSeconds + 1);
  const active = (await ringOf(world)).activeKid ?? '';
  const { batches } = await taintKeys(world, [
    { kid: world.legacy.jwk.kid, class: 'compromise', reason: 'copied-possible' },
    { kid: active, class: 'planned', reason: 'could-deploy' },
  ]);
  expect(await pass(world, batches, 1)).toEqual({ found: 40, resigned: 40 });
  world.clock.advance(world.config.settings.drainSeconds);
  expect(await pass(world, batches, 2)).toEqual({ found: 0, resigned: 0 });
  await taintOrDeny({ op: 'deny', ring: RING, kids: [world.legacy.jwk.kid, active] }, world.deps('taint'));
  await commitIssued({}, world.deps('committer'));
  await drainOutbox(world);
  await world.functions.invoke('sequencer', {});

  const bundle = join(dir, 'evidence');
  await exportBundle({ case: 'c-test', dir: bundle }, { objects: world.objects, clock: world.clock });
  const verdict = judgeBundle(folder(bundle));
  const integrity = verdict.checks.filter(({ id }) => !['manifest', 'order'].includes(id));
  expect(integrity.filter(({ ok }) => !ok)).toEqual([]);
  const waves = verdict.records.filter(({ record: { type } }) => type === 'wave.completed');
  expect(waves.map(({ record: { body } }) => [body.source, body.done])).toEqual([
    [20, 20],
    [20, 20],
  ]);
  // No departure was opened: the log holds, and the case is not complete.
  expect(verdict.checks.find(({ id }) => id === 'manifest')).toMatchObject({
    ok: false,
    detail: 'there is no case c-test in this log',
  });

  const [list = ''] = folder(bundle)
    .list()
    .filter((path) => path.startsWith('lists/'));
  writeFileSync(
    join(bundle, list),
    readFileSync(join(bundle, list), 'latin1').replace(/^./, (c) => (c === 'A' ? 'B' : 'A')),
  );
  expect(judgeBundle(folder(bundle)).checks.find(({ id }) => id === 'tokens')).toMatchObject({
    ok: false,
    code: 'ERR_EVIDENCE_TREE',
  });
});
