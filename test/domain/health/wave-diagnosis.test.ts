/** The row `waves` of the doctor: one that stopped is a problem that names ring, kid, since when, and how it goes on. */
import { diagnoseWaves, type WaveFacts } from '../../../lib/domain/health/wave-diagnosis';
import { activeRecord, CFG, DAY, keyRecord, NOW, ringWith } from '../../support/rings';

const START = CFG.drainSeconds + CFG.feedPollSeconds;
const MINUTE = 60;
const KID = keyRecord(1).kid.slice(0, 8);
const progress = (passed: number, settled: number) => ({ seen: { shards: 64, passed, settled } });

function looked(
  later: number,
  found: WaveFacts['waves'][string] | undefined,
  { taintClass = 'compromise' as 'compromise' | 'planned', cases = [] as string[], activatedAt = NOW } = {},
) {
  const taint = { class: taintClass, reason: 'CHG-9', at: NOW, cases };
  const old = keyRecord(1, { state: 'SUSPECT', activatedAt: NOW - DAY, deactivatedAt: NOW, taint });
  const active = activeRecord(2, { activatedAt });
  const waves = [{ fromKid: old.kid, toKid: active.kid, state: 'OPEN' as const, openedAt: NOW, cases }];
  const ring = ringWith({ keys: [old, active, keyRecord(3)], waves });
  return diagnoseWaves({ ring, at: NOW + later, waves: found ? { [old.kid]: found } : {} });
}

test('a taint that stopped with an error before the re-signing is a problem a quarter of an hour later', () => {
  expect(looked(10 * MINUTE, progress(0, 0))).toMatchObject([{ state: 'ok' }]);
  expect(looked(START + 16 * MINUTE, progress(0, 0))).toEqual([
    {
      of: 'customer-api',
      check: 'waves',
      state: 'problem',
      found: `${KID} is SUSPECT (compromise) since 2027-01-15T08:00:00Z, 16 min 20 s: it stopped before the re-signing`,
      fix: `\`curfew ring taint ${KID} --class compromise --reason …\` goes on where it stopped`,
    },
  ]);
});

test('a case that the wave is for is named, and where to look', () => {
  expect(looked(3600, progress(0, 0), { cases: ['c-1', 'c-2'], taintClass: 'planned' })).toMatchObject([
    {
      found: expect.stringContaining(`${KID} is SUSPECT (planned, for c-1, c-2) since`),
      fix: expect.stringMatching(/^see `curfew case show c-1`; `curfew ring taint \S+ --class planned /),
    },
  ]);
});

test('one that is half way is told in numbers: within an hour ok, then perhaps slow, after a day a problem', () => {
  const found = expect.stringContaining('12 of 64 shards re-signed, 40 begun');
  expect(looked(30 * MINUTE, progress(40, 12))).toMatchObject([{ state: 'ok', found }]);
  expect(looked(2 * 3600, progress(40, 12))).toMatchObject([
    { state: 'unknown', found, fix: expect.stringMatching(/^ask again in 15 min: if it says the same, it stopped; /) },
  ]);
  expect(looked(2 * DAY, progress(40, 12))).toMatchObject([
    { state: 'problem', found: expect.stringContaining('it does not end') },
  ]);
});

test('when every shard is re-signed a planned wave waits for holders, and that of a compromise for nobody', () => {
  expect(looked(3 * 3600, progress(64, 64), { taintClass: 'planned' })).toMatchObject([
    { state: 'ok', found: expect.stringContaining('holders may still collect') },
  ]);
  expect(looked(3 * 3600, progress(64, 64))).toMatchObject([
    { state: 'problem', found: expect.stringContaining('all 64 shards re-signed, and it is not DENIED') },
  ]);
  expect(looked(2 * DAY, progress(64, 64), { taintClass: 'planned' })).toMatchObject([{ state: 'problem' }]);
});

test('a key that took over begins the passes anew, and has its time for them', () => {
  const moved = { activatedAt: NOW + 3600 };
  expect(looked(3600 + 10 * MINUTE, progress(0, 0), moved)).toMatchObject([{ state: 'ok' }]);
  expect(looked(3600 + 20 * MINUTE, progress(0, 0), moved)).toMatchObject([{ state: 'problem' }]);
});

test('passes that could not be read are unknown, and never ok', () => {
  expect(looked(10 * MINUTE, { unseen: 'AccessDenied' })).toMatchObject([{ state: 'unknown' }]);
  expect(looked(10 * MINUTE, undefined)).toMatchObject([{ state: 'unknown' }]);
});
