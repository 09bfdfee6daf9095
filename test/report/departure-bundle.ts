/** The evidence of a departure that really ran in memory, exported and verified; and a summary as the demo writes one. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportBundle, verifyBundle } from '../../bin/commands/evidence';
import { commitIssued } from '../../lambdas/committer';
import { sequence } from '../../lambdas/sequencer';
import type { Verdict } from '../../lib/domain/audit/bundle';
import type { Summary } from '../../lib/report/summary';
import { decideBoth } from '../scenarios/approvers';
import {
  type DepartureWorld,
  departureWorld,
  drainOutboxes,
  execute,
  imported,
  metas,
  send,
  WORKER,
} from '../scenarios/departure-world';
import { issueTo, legacyClaims, record, signLegacy } from '../scenarios/signing-world';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const MEMBERS = 24;
/** Seconds that a step takes here, so that no two instants of the page are one. */
const STEP_SECONDS = 1;

const ELSEWHERE = { type: 'iam-user', arn: 'arn:aws:iam::999999999999:user/mallory' };
const NO_RING = { asset: 'ring:no-such-ring', class: 'could-use', how: 'a stale row', since: 1 };

export interface Departed {
  readonly world: DepartureWorld;
  readonly caseId: string;
  readonly dir: string;
  readonly verdict: Verdict;
}

/** `spoil` is called before each step and may stop the world from being as it should. */
export async function departed(
  spoil: (step: string, nn: string | undefined, world: DepartureWorld) => void = () => undefined,
  /** With a user of another account and an exposure of no ring, which two people accept. */
  isAccepting = false,
): Promise<Departed> {
  const world = await departureWorld();
  const members = Array.from({ length: MEMBERS }, (_, n) => n);
  await record(
    world,
    members.map((n) => signLegacy(world, legacyClaims(world, `member-${n}`, `legacy-${n}`))),
  );
  await record(world, [signLegacy(world, legacyClaims(world, 'mallory', 'legacy-leaver'))]);
  for (const n of members) await issueTo(world, `member-${n}`);
  await issueTo(world, 'mallory');
  world.clock.advance(20);

  if (isAccepting) await imported(world, WORKER, [ELSEWHERE], [NO_RING]);
  await send(world);
  const caseId = metas(world)[0]?.caseId ?? '';
  world.clock.advance(STEP_SECONDS);
  await execute(world, caseId, 1, (request, run) => {
    world.clock.advance(STEP_SECONDS);
    spoil(request.step, request.nn, world);
    return run();
  }).catch((error: { code?: string }) => {
    if (error.code !== 'ERR_NOT_PROVED') throw error;
  });
  if (isAccepting) {
    await decideBoth(world, caseId, 'accept');
    await execute(world, caseId, 2);
  }
  await commitIssued({}, world.deps('committer'));
  await drainOutboxes(world);
  await sequence({}, world.deps('sequencer'));

  const folder = mkdtempSync(join(tmpdir(), 'curfew-report-'));
  folders.push(folder);
  const dir = join(folder, 'evidence');
  await exportBundle(
    { case: caseId, dir },
    { objects: world.objects.restricted(['evidence:get', 'heads:get']), clock: world.clock },
  );
  return { world, caseId, dir, verdict: verifyBundle(dir).verdict };
}

export function summaryOf({ caseId, verdict }: Departed): Summary {
  const hrEventAt = verdict.records.find(({ record }) => record.id === `${caseId}/opened`)?.record.body
    .hrEventAt as number;
  const check = (id: string, claim: string, expected: string, observed = expected) => ({
    id,
    claim,
    expected,
    observed,
    ok: expected === observed,
  });
  return {
    engine: 'emulator',
    case: caseId,
    settings: { collectGraceSeconds: { here: 2, default: 86_400 }, verifierCacheSeconds: { here: 3, default: 600 } },
    timings: [
      { name: 'hrEventAt', at: hrEventAt + 0.1 },
      { name: 'blockedAt', at: hrEventAt + 3.3 },
      { name: 'closedAt', at: hrEventAt + 27.9 },
    ],
    counts: { resigned: 200 },
    checks: [
      check('access-key-worked-before', 'the worker’s access key worked', 'S3 ListBuckets 200'),
      check('access-key-refused-after', 'the worker’s access key is refused', 'S3 InvalidAccessKeyId'),
      check('forgery-accepted-before', 'a forged token was accepted by stock jose', 'accepted'),
      check('forgery-refused-after', 'the same forged token is refused', 'ERR_TOKEN_KID_STATE'),
      check('duplicate-webhook-one-case', 'the same webhook twice is one case', '1 case'),
    ],
    patched: ['S3 Object Lock on the evidence bucket'],
    notProvedHere: [
      'a stock jose with a warm cache accepts an old token for 3 s',
      { claim: 'the console refuses the password', why: 'the emulator has no console' },
    ],
  };
}
