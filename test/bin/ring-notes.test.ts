import { waiting } from '../../bin/commands/ring-notes';
import { mayActivate, RESTS_FOR } from '../../lib/domain/rings/obstacles';
import type { KeyRecord } from '../../lib/domain/rings/ring';
import { DAY, keyRecord, NOW, ringWith } from '../support/rings';

const AT = NOW + 10 * DAY;
const ring = ringWith();
const standby = (more: Partial<KeyRecord>) => keyRecord(2, { confirmedAt: NOW, ...more });

test.each([
  ['was never published', { confirmedAt: undefined }, 'it was never seen in the JWKS'],
  ['was just published', { confirmedAt: AT - 1 }, /^published since \S+, it may be unknown to a verifier until \S+$/],
  ['was given up', { disabledAt: AT - 1 }, /^it was prepared and not activated; it waits until \S+$/],
  ['is being disabled', { kmsState: 'Disabling' }, 'it is being disabled in KMS'],
  ['is past its date', { signUntil: AT - 1 }, /^its policy let it sign until \S+$/],
  ['has a changed policy', { policyState: 'changed' }, 'its policy is changed'],
] as const)('a STANDBY that %s waits, and the reason is said', (_what, more, reason) => {
  expect(waiting(ring, standby(more), AT)).toEqual([
    typeof reason === 'string' ? reason : expect.stringMatching(reason),
  ]);
});

test('a STANDBY has a reason exactly when it may not sign', () => {
  const values: { readonly [M in keyof KeyRecord]?: readonly KeyRecord[M][] } = {
    confirmedAt: [undefined, NOW, AT - 1],
    disabledAt: [undefined, AT - RESTS_FOR, AT - 1],
    kmsState: ['Enabled', 'Disabling', 'Disabled'],
    signUntil: [AT, AT + DAY],
    policyState: [undefined, 'as-written', 'changed', 'orphaned', 'granted', 'unreadable'],
  };
  let all: Partial<KeyRecord>[] = [{}];
  for (const [member, given] of Object.entries(values))
    all = all.flatMap((one) => given.map((value) => ({ ...one, [member]: value })));
  for (const activations of [0, 1])
    for (const more of all) {
      const one = { ...ring, activations };
      const key = standby(more);
      expect([more, waiting(one, key, AT).length === 0]).toEqual([more, mayActivate(one, key, AT)]);
    }
  expect(all).toHaveLength(324);
});
