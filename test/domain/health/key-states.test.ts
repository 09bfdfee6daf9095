/** The row `keys in KMS` of the doctor: which keys KMS has enabled, by name, and for how long that may be so. */
import { diagnoseKms, type KmsFacts } from '../../../lib/domain/health/kms-diagnosis';
import type { KeyRecord } from '../../../lib/domain/rings/ring';
import { activeRecord, CFG, keyRecord, NOW, ringWith } from '../../support/rings';

const HOUR = 3600;
const ROLES: KmsFacts['roles'] = {
  accountId: '000000000000',
  roleArns: { issuer: '', resigner: '', rotator: '', disabler: '' },
};
const taint = (taintClass: 'compromise' | 'planned') => ({ class: taintClass, reason: 'CHG-9', at: NOW, cases: [] });
const [active, standby] = [activeRecord(2), keyRecord(3)] as const;
const old = (more: Partial<KeyRecord>) => keyRecord(1, { activatedAt: NOW - HOUR, deactivatedAt: NOW, ...more });
const short = ({ kid }: KeyRecord) => kid.slice(0, 8);
const ACTIVE = `${short(active)} (ACTIVE) is Enabled`;

/** The row, when KMS has these keys enabled and the others disabled; `unseen` did not answer. */
function looked(keys: readonly KeyRecord[], enabled: readonly KeyRecord[], at = NOW, unseen?: KeyRecord) {
  const ring = ringWith({ keys });
  const stateOf = ({ kid }: KeyRecord) =>
    kid === unseen?.kid
      ? { unseen: 'ThrottlingException' }
      : { seen: enabled.some((key) => key.kid === kid) ? 'Enabled' : 'Disabled' };
  const kms = Object.fromEntries(
    keys.map((key) => [key.kid, { state: stateOf(key), policy: { unseen: '' }, grants: { unseen: '' } }]),
  );
  return diagnoseKms({ ring, at, kms, roles: ROLES }).find(({ check }) => check === 'keys in KMS');
}

test('of a ring at rest the one key is named that can sign, and the others are counted by their states', () => {
  const found = looked([active, standby, keyRecord(4)], [active]);
  expect([found?.state, found?.found]).toEqual(['ok', `${ACTIVE}; the others: 2 Disabled`]);
  expect(looked([active], [active])?.found).toBe(`${ACTIVE}; there is no other`);
});

test.each(['SUSPECT', 'DENIED'] as const)(
  'a key of a compromise that KMS has enabled is a problem at once: %s',
  (state) => {
    const key = old({ state, taint: taint('compromise') });
    for (const at of [NOW, NOW + CFG.drainSeconds, NOW + 420, NOW + 3 * HOUR])
      expect(looked([key, active, standby], [key, active], at)).toMatchObject({
        state: 'problem',
        found: `${short(key)} (${state}) is still Enabled, the next tick disables it; ${ACTIVE}`,
        fix: expect.stringContaining(`\`curfew ring taint ${short(key)} --class compromise`),
      });
    expect(looked([key, active, standby], [active])).toMatchObject({ state: 'ok' });
  },
);

test.each([
  ['VERIFY_ONLY', undefined],
  ['SUSPECT', taint('planned')],
] as const)(
  'a key that drains is named and ok; past its drain it waits for a tick, then it is a problem: %s',
  (state, tainted) => {
    const key = old({ state, taint: tainted });
    const at = (later: number) => looked([key, active, standby], [key, active], NOW + CFG.drainSeconds + later);
    const name = `${short(key)} (${state})`;
    expect(at(0)).toMatchObject({
      state: 'ok',
      found: `${name} is Enabled, for its drain; ${ACTIVE}; the others: 1 Disabled`,
    });
    expect(at(240)).toMatchObject({
      state: 'unknown',
      found: `${name} is still Enabled, 4 min after the time for its drain; the next tick disables it; ${ACTIVE}`,
      fix: 'ask again when a tick has run, within 1 h',
    });
    expect(at(2 * HOUR)).toMatchObject({
      state: 'problem',
      found: expect.stringContaining(`${name} is still Enabled, 2 h after`),
    });
  },
);

test('a STANDBY that is made ready is named; one that nobody made ready is a problem', () => {
  const ready = keyRecord(3, { preparedAt: NOW });
  expect(looked([active, ready], [active, ready], NOW + 299)).toMatchObject({
    state: 'ok',
    found: `${ACTIVE}; ${short(ready)} (STANDBY) is Enabled, for its activation; there is no other`,
  });
  expect(looked([active, ready], [active, ready], NOW + 360)?.state).toBe('unknown');
  expect(looked([active, ready], [active, ready], NOW + 2 * HOUR)?.state).toBe('problem');
  expect(looked([active, standby], [active, standby])?.state).toBe('problem');
});

test('a key that KMS did not answer for is never counted among those that cannot sign', () => {
  expect(looked([active, standby, keyRecord(4)], [active], NOW, standby)).toMatchObject({
    state: 'unknown',
    found: 'KMS did not answer for 1 key: ThrottlingException',
  });
});
