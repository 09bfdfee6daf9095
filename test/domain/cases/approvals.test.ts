/** When two people decide: ten thousand sequences of approvals, by approvers, strangers, leavers, twice and too late. */
import fc from 'fast-check';
import { approverOf, judgeApprovals } from '../../../lib/domain/cases/approvals';
import { counted, extent } from '../../support/extent';

const DAY = 86_400;
const NOW = 100 * DAY;
const APPROVERS = ['W-1', 'W-2', 'W-3'].map((workerId) => ({ workerId, identity: `AIDA${workerId}` }));
const BARRED = new Map([['W-3', 'the case is about them']]);

const approval = fc.record({
  approver: fc.constantFrom('W-1', 'W-1', 'W-2', 'W-2', 'W-3', 'W-4'),
  // Their own, or somebody else's.
  identity: fc.constantFrom('own', 'own', 'own', 'AIDAW-1', 'AROAX:W-2'),
  decision: fc.constantFrom('go-on' as const, 'go-on' as const, 'give-back' as const),
  about: fc.constantFrom('today', 'today', 'yesterday'),
  at: fc.constantFrom(-9, -8, -7.5, -1, -0.9, -0.5, 0, 2).map((days) => NOW + days * DAY),
  reason: fc.constant('CHG-7'),
});

test('S-E3: no decision by fewer than two different people who may decide, and none is withheld from two', () => {
  const runs = extent(10_000, 100_000);
  let decided = 0;
  fc.assert(
    fc.property(fc.array(approval, { maxLength: 5 }), (drawn) => {
      const given = drawn.map((one) => ({
        ...one,
        identity: one.identity === 'own' ? `AIDA${one.approver}` : one.identity,
      }));
      const matter = { approvers: APPROVERS, decision: 'go-on', about: 'today', barred: BARRED, now: NOW } as const;
      // Whoever gives their word once more takes back the one before; of one second the table keeps one.
      const last = (one: (typeof given)[number]) =>
        given
          .filter(({ approver, at }) => approver === one.approver && at <= NOW)
          .sort((a, b) => a.at - b.at)
          .at(-1);
      const good = given
        .filter((one) => one === last(one))
        .filter(
          ({ approver, identity, decision, about, at }) =>
            ['W-1', 'W-2'].includes(approver) &&
            identity === `AIDA${approver}` &&
            decision === 'go-on' &&
            about === 'today' &&
            at <= NOW,
        );
      const may = good.some((a) =>
        good.some((b) => a.approver !== b.approver && b.at >= a.at && b.at - a.at <= 7 * DAY && NOW - b.at <= DAY),
      );
      const { isDecided, counted: both } = judgeApprovals(given, matter);
      expect(isDecided).toBe(may);
      if (!isDecided) return;
      decided++;
      expect([both.length, new Set(both.map(({ approver }) => approver)).size]).toEqual([2, 2]);
    }),
    { numRuns: runs },
  );
  expect(decided).toBeGreaterThan(runs / 100);
  process.stdout.write(
    `approvals: ${counted(runs)} sequences, ${counted(decided)} decided, 0 by fewer than two people\n`,
  );
});

test.each(['', 'AIDAW-9', 'AROAX', 'AROAX:W-1', '000000000000', 'aidaw-1'])(
  '%p is nobody who may decide',
  (identity) => {
    expect(() => approverOf(APPROVERS, identity)).toThrow(expect.objectContaining({ code: 'ERR_NOT_APPROVED' }));
  },
);
