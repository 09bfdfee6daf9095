/** An operator has the key of the log, and writes what they like: a case whose records were bent does not pass for whole. */
import { rotate } from '../../lambdas/rotator';
import { tick } from '../../lambdas/ticker';
import { checkManifest, checkOrder } from '../../lib/domain/audit/manifest';
import { acceptanceDigest } from '../../lib/domain/cases/accepted';
import { firstNumber } from '../../lib/domain/cases/containment';
import type { Inventory } from '../../lib/domain/cases/plan';
import { itemsSha, planCase } from '../../lib/domain/cases/plan';
import type { EvidenceRecord } from '../../lib/domain/evidence/record';
import { LOOK_AGAIN_SECONDS } from '../../lib/work/cases/start-case';
import { APPROVERS, DAY, decideBoth, deployApprovers } from './approvers';
import { allRecords, departureWorld, execute, imported, metaOf, metas, send, strike, WORKER } from './departure-world';
import { calmly, RING } from './signing-world';

const LATE = { asset: `ring:${RING}`, class: 'administers', how: 'x', since: 1 };
let whole: readonly EvidenceRecord[];
let caseId: string;
beforeAll(async () => {
  const world = await departureWorld(calmly);
  await send(world);
  caseId = metas(world)[0]?.caseId ?? '';
  // With a second listing, and a second plan at the second attempt.
  const first = execute(world, caseId, 1, async (request, run) => {
    if (request.step === 'plan') world.iam.reactivateAccessKey('mallory', 'AKIALATER');
    if (request.step === 'close') await imported(world, WORKER, [], [LATE]);
    return run();
  });
  await expect(first).rejects.toMatchObject({ code: 'ERR_NOT_PROVED' });
  world.workflow.end(`${caseId}.1`);
  for (let n = 0; n < 6; n++) {
    world.clock.advance(LOOK_AGAIN_SECONDS / 6);
    await rotate({ op: 'tick', ring: RING }, world.deps('rotator'));
  }
  await tick(world.deps('ticker'));
  await execute(world, caseId, metas(world)[0]?.attempt ?? 0);
  whole = allRecords(world);
});

const check = (records: readonly EvidenceRecord[]) => {
  checkManifest(records, caseId);
  checkOrder(records, caseId);
};
const named = (name: string) => whole.find(({ id }) => id === `${caseId}/${name}`) as EvidenceRecord;
const inventory = () => named('inventory').body as unknown as Inventory;
const body = (record: EvidenceRecord, changed: object): EvidenceRecord => ({
  ...record,
  body: { ...record.body, ...changed } as EvidenceRecord['body'],
});
const replaced = (...others: readonly EvidenceRecord[]) =>
  whole.map((record) => others.find(({ id }) => id === record.id) ?? record);
const ofPlan = (id: string) => planCase(inventory()).some(({ nn }) => id.startsWith(`${caseId}/item/${nn}/`));

/** The inventory changed, and the plan as it then follows from it. */
function planned(changed: object, n = ''): readonly [EvidenceRecord, EvidenceRecord] {
  const bent = body(named(`inventory${n}`), changed);
  const items = planCase(bent.body as unknown as Inventory);
  return [bent, body(named(`planned${n}`), { items, planSha: itemsSha(items) })];
}

const later = () => planCase(named('inventory/2').body as unknown as Inventory);
const isOfLater = (id: string) => later().some(({ nn }) => id.startsWith(`${caseId}/item/${nn}/`));
const isLater = (id: string) => id === `${caseId}/inventory/2` || id === `${caseId}/planned/2`;
/** Nothing of the second plan is there; the closing counts what is left. */
const withoutLater = () =>
  whole
    .filter(({ id }) => !isLater(id) && !isOfLater(id))
    .map((one) =>
      one.id === `${caseId}/closed` ? body(one, { items: Number(one.body.items) - later().length }) : one,
    );

/** The second plan under another number, or from another item on, and every record of it in keeping with that. */
function renumbered({
  n = 2,
  firstItem,
}: {
  readonly n?: number;
  readonly firstItem: number;
}): readonly EvidenceRecord[] {
  const nnOf = (id: string) => later().find(({ nn }) => id.startsWith(`${caseId}/item/${nn}/`))?.nn;
  const [first] = later();
  const moved = (nn: string) => String(Number(nn) - Number(first?.nn) + firstItem);
  const bent = planned({ n, firstItem }, '/2');
  return replaced(...bent).map((record) => {
    const nn = nnOf(record.id);
    if (isLater(record.id))
      return body({ ...record, id: record.id.replace(/2$/, String(n)) }, record.type === 'case.planned' ? { n } : {});
    if (nn === undefined) return record;
    return body({ ...record, id: record.id.replace(`/${nn}/`, `/${moved(nn)}/`) }, { nn: moved(nn) });
  });
}

test('as it was written it passes', () => expect(() => check(whole)).not.toThrow());

test.each<[string, () => readonly EvidenceRecord[]]>([
  ['the last listing left out', () => whole.filter(({ id }) => id !== `${caseId}/listed/2`)],
  [
    'the last listing left out with its items',
    () => whole.filter(({ id }) => id !== `${caseId}/listed/2` && !/item\/2\d{4}\//.test(id)),
  ],
  [
    'a second rotation that is not owed because followUp is 1',
    () => replaced(...planned({ followUp: 1 })).filter(({ type }) => type !== 'case.followed-up'),
  ],
  [
    'a proof that says that the key is Active',
    () => {
      const [first] = whole.filter(({ type, body: { kind } }) => type === 'item.proved' && kind === 'access-key');
      return replaced(body(first as EvidenceRecord, { observed: { status: 'Active' } }));
    },
  ],
  [
    'a proof of another kind of item',
    () => {
      const [first] = whole.filter(({ type, body: { kind } }) => type === 'item.proved' && kind === 'access-key');
      return replaced(body(first as EvidenceRecord, { kind: 'login-profile', observed: { exists: false } }));
    },
  ],
  [
    'a plan that has the numbers of the first listing, and its proofs',
    () => replaced(...planned({ firstItem: 1 })).filter(({ id }) => !ofPlan(id)),
  ],
  ['a plan with no numbers at all', () => replaced(...planned({ firstItem: null })).filter(({ id }) => !ofPlan(id))],
  [
    'another inventory and plan in front of those of the case',
    () => {
      const [bent, plan] = planned({ exposures: [], keys: [], principals: [] });
      const ends = ['key.tainted', 'wave.completed', 'key.denied', 'case.followed-up'];
      const rest = whole.filter(({ id, type }) => !ofPlan(id) && !ends.includes(type));
      return [{ ...bent, id: `${bent.id}-0` }, { ...plan, id: `${plan.id}-0` }, ...rest];
    },
  ],
  ['the second plan left out', () => whole.filter(({ id }) => !isLater(id))],
  ['the inventory of the second plan left out', () => whole.filter(({ id }) => id !== `${caseId}/inventory/2`)],
  ['what the second plan came to left out', () => whole.filter(({ id }) => id !== `${caseId}/planned/2`)],
  ['the second plan left out with its items', () => whole.filter(({ id }) => !isLater(id) && !isOfLater(id))],
  ['the second plan left out with its items, and not counted at the close', withoutLater],
  [
    'an item of the second plan that was never proved',
    () => whole.filter(({ id }) => !/item\/25\d{3}\/proved$/.test(id)),
  ],
  [
    'a second plan that ends nothing',
    () => {
      const bent = planned({ exposures: [], keys: [] }, '/2');
      const kids = later().flatMap((item) => (item.kind === 'taint' ? [item.kid] : []));
      return replaced(...bent).filter(({ id, body: { kid } }) => !isOfLater(id) && !kids.includes(String(kid)));
    },
  ],
  [
    'a second plan with the numbers of the first, and its proofs',
    () => replaced(...planned({ firstItem: 6 }, '/2')).filter(({ id }) => !isOfLater(id)),
  ],
  ['a second plan that is kept as the third', () => renumbered({ n: 3, firstItem: firstNumber('plan', 3) })],
  ['a second plan whose items begin somewhere else', () => renumbered({ firstItem: firstNumber('plan', 2) + 7 })],
  [
    'a second plan that asks for no second rotation because it says that it is one',
    () => {
      const again = later().find(({ kind }) => kind === 'rotate-again')?.nn;
      return replaced(...planned({ followUp: true }, '/2'))
        .filter(({ id }) => !id.startsWith(`${caseId}/item/${again}/`))
        .map((one) => (one.id === `${caseId}/closed` ? body(one, { items: Number(one.body.items) - 1 }) : one));
    },
  ],
  [
    'a second plan dated before what it was made from',
    () => replaced({ ...named('planned/2'), at: named('inventory/2').at - 1 }),
  ],
  ['a second plan that calls itself the first', () => replaced(body(named('inventory/2'), { n: 1 }))],
  ['a second plan that calls itself the third', () => replaced(...planned({ n: 3 }, '/2'))],
  ['a second plan dated before the first', () => replaced({ ...named('inventory/2'), at: named('planned').at - 1 })],
  [
    'a key of the second plan that was tainted before it',
    () => {
      const [taint] = later();
      const kid = taint?.kind === 'taint' ? taint.kid : '';
      const tainted = whole.find(({ type, body: of }) => type === 'key.tainted' && of.kid === kid) as EvidenceRecord;
      return replaced({ ...tainted, at: named('planned/2').at - 1 });
    },
  ],
  [
    'a key that is called retired, so that no wave is owed',
    () => {
      const [taint] = planCase(inventory()).filter(({ kind }) => kind === 'taint');
      const kid = taint?.kind === 'taint' ? taint.kid : '';
      const ends = ['key.tainted', 'wave.completed', 'key.denied'];
      const denied = whole.find(({ type }) => type === 'key.denied') as EvidenceRecord;
      const { case: _case, ...ofRing } = body(denied, { kid, from: 'VERIFY_ONLY' });
      const rest = whole.filter(({ type, body: { kid: of } }) => of !== kid || !ends.includes(type));
      return [...rest, { ...ofRing, type: 'key.retired', body: { kid } }];
    },
  ],
])('%s is refused', (_what, bend) => {
  expect(() => check(bend())).toThrow(
    expect.objectContaining({ code: expect.stringMatching(/^ERR_EVIDENCE_(RECORD|INCOMPLETE)$/) }),
  );
});

describe('who could approve', () => {
  let decided: readonly EvidenceRecord[];
  let held: string;
  beforeAll(async () => {
    const world = await departureWorld(calmly);
    const [, TWO, THREE] = APPROVERS;
    await send(world, { source: 'payroll' });
    held = metas(world)[0]?.caseId ?? '';
    await execute(world, held, 1);
    await deployApprovers(world, [{ workerId: 'W-0004', identity: 'AIDAAPPROVERFOU4' }, TWO, THREE]);
    world.clock.advance(3600);
    await deployApprovers(world, APPROVERS);
    world.clock.advance(60);
    await decideBoth(world, held, 'go-on');
    world.clock.advance(3600);
    await deployApprovers(world, [{ workerId: 'W-0005', identity: 'AIDAAPPROVERFIV5' }, TWO, THREE]);
    await execute(world, held, (await metaOf(world, held)).attempt);
    decided = allRecords(world);
  });

  const set = (n: number) => decided.find(({ id }) => id === `approvers/${n}`) as EvidenceRecord;
  const bent = (which: (record: EvidenceRecord) => boolean, changed: object) =>
    decided.map((record) => (which(record) ? body(record, changed) : record));
  const isApproval = ({ type }: EvidenceRecord) => type === 'case.approved';
  const dated = (id: string, at: number) => decided.map((record) => (record.id === id ? { ...record, at } : record));
  const wentOn = () => decided.find(({ type, body: { by } }) => type === 'case.went-on' && by === 'go-on')?.at ?? 0;

  test('as it was written it passes', () => expect(() => checkManifest(decided, held)).not.toThrow());

  test.each<[string, () => readonly EvidenceRecord[], RegExp]>([
    ['an old set named', () => bent(isApproval, { set: set(2).body.set }), /not the one that held/],
    ['a set named that came later', () => bent(isApproval, { set: set(4).body.set }), /not the one that held/],
    ['the set in force dropped', () => decided.filter(({ id }) => id !== 'approvers/3'), /has no approvers\/3/],
    ['the first set dropped', () => decided.filter(({ id }) => id !== 'approvers/1'), /has no approvers\/1/],
    [
      'a set dropped, and the next one renumbered within its body',
      () =>
        decided.flatMap((one) =>
          one.id === 'approvers/3' ? [] : one.id === 'approvers/4' ? [body(one, { n: 3 })] : [one],
        ),
      /has no approvers\/3/,
    ],
    ['a set with another number', () => bent(({ id }) => id === 'approvers/4', { n: 7 }), /has no approvers\/4/],
    ['a set with no number', () => bent(({ id }) => id === 'approvers/3', { n: null }), /approvers/],
    [
      'the set in force with one more member',
      () => bent(({ id }) => id === 'approvers/3', { approvers: [...(set(3).body.approvers as string[]), 'me'] }),
      /other members/,
    ],
    ['the set in force dated after the decision', () => dated('approvers/3', set(4).at), /not the one that held/],
    ['a set dated before the one that it replaces', () => dated('approvers/4', set(3).at - 1), /dated before the set/],
    [
      'an approval from when their set did not hold',
      () => bent(isApproval, { approvedAt: set(2).at + 60 }),
      /not yet, or no more/,
    ],
    [
      'an approval from before any set',
      () => bent(isApproval, { approvedAt: set(1).at - 1 }),
      /too old|not yet, or no more/,
    ],
    ['an approval with no time', () => bent(isApproval, { approvedAt: null }), /not yet, or no more|too old/],
  ])('%s is refused', (_what, bend, why) => {
    expect(wentOn()).toBeGreaterThan(set(3).at - 1);
    expect(() => checkManifest(bend(), held)).toThrow(why);
  });

  // docs/evidence-format.md says so too: the last sets of a log have nothing behind them that shows a gap.
  test('that the last set is missing shows in no bundle', () => {
    expect(() =>
      checkManifest(
        decided.filter(({ id }) => id !== 'approvers/4'),
        held,
      ),
    ).not.toThrow();
  });
});

describe('a case of which items were accepted', () => {
  let accepted: readonly EvidenceRecord[];
  let linked: string;
  beforeAll(async () => {
    const world = await departureWorld(calmly);
    const elsewhere = { type: 'iam-user', arn: 'arn:aws:iam::999999999999:user/mallory' };
    await imported(world, WORKER, [elsewhere], [{ asset: 'ring:no-such', class: 'could-use', how: 'h', since: 1 }]);
    await send(world);
    caseId = metas(world)[0]?.caseId ?? '';
    await expect(execute(world, caseId, 1)).rejects.toMatchObject({ code: 'ERR_NOT_PROVED' });
    await decideBoth(world, caseId, 'accept');
    await execute(world, caseId, 2);
    linked = metas(world).find(({ provesAgain }) => provesAgain === caseId)?.caseId ?? '';
    world.clock.set((await metaOf(world, linked)).dueAt);
    await strike(world, 0);
    await tick(world.deps('ticker'));
    await expect(execute(world, linked, 1)).rejects.toMatchObject({ code: 'ERR_NOT_PROVED' });
    // Something else is on record long after the date.
    world.clock.advance(2 * DAY);
    await strike(world, 0);
    await send(world, { id: 'msg_2', type: 'worker.rehired' });
    await send(world, { id: 'msg_3', workerId: 'W-77' });
    accepted = allRecords(world);
  });
  const is = (name: string) => accepted.find(({ id }) => id === `${caseId}/${name}`) as EvidenceRecord;
  const of = (name: string) => accepted.find(({ id }) => id === `${linked}/${name}`) as EvidenceRecord;
  const changed = (...others: readonly EvidenceRecord[]) =>
    accepted.map((record) => others.find(({ id }) => id === record.id) ?? record);
  const without = (...ids: readonly string[]) => accepted.filter(({ id }) => !ids.includes(id));
  const approval = (n: number) => is(`accepted/1/approved/${n}`);
  /** The list or the end changed, and the digest of both approvals with it. */
  const rewritten = (items: readonly object[], until: number) => {
    const about = acceptanceDigest(items as never, until);
    const [one, two] = [1, 2].map((n) => body(approval(n), { about }));
    const opened = body(of('opened'), { dueAt: until });
    return [body(is('accepted/1'), { items, until }), one, two, opened] as EvidenceRecord[];
  };
  const items = () => is('accepted/1').body.items as unknown as readonly object[];
  const until = () => Number(is('accepted/1').body.until);

  test('as it was written it passes, and its linked case is open', () => {
    expect(() => check(accepted)).not.toThrow();
    expect(() => checkManifest(accepted, linked)).toThrow(expect.objectContaining({ code: 'ERR_EVIDENCE_INCOMPLETE' }));
  });

  test.each<[string, () => readonly EvidenceRecord[], RegExp]>([
    ['nobody approved', () => without(approval(1).id, approval(2).id), /two different approvers/],
    ['one approval', () => without(approval(2).id), /two different approvers/],
    [
      'one person twice',
      () => changed(body(approval(2), { approver: approval(1).body.approver })),
      /two different approvers/,
    ],
    [
      'the leaver',
      () => changed(body(approval(2), { approver: is('opened').body.pseudonym })),
      /set on record|the leaver/,
    ],
    ['somebody who is no approver', () => changed(body(approval(2), { approver: 'x' })), /not of the set/],
    [
      'approvals of a go-on',
      () => changed(...[1, 2].map((n) => body(approval(n), { decision: 'go-on' }))),
      /something else/,
    ],
    [
      'approvals of another list',
      () => changed(body(is('accepted/1'), { items: items().slice(1) })),
      /something else than what is on record/,
    ],
    ['another end than they saw', () => changed(body(is('accepted/1'), { until: until() + 1 })), /something else than/],
    ['more than 90 days', () => changed(...rewritten(items(), is('accepted/1').at + 90 * DAY + 1)), /90 days/],
    ['an end before it began', () => changed(...rewritten(items(), is('accepted/1').at)), /90 days/],
    ['no items', () => changed(...rewritten([], until())), /names no items/],
    [
      'an item that was never frozen',
      () => changed(...rewritten([...items(), { nn: '99', kind: 'latch' }], until())),
      /none that was frozen/,
    ],
    [
      'another reason',
      () => changed(...rewritten([{ ...items()[0], reason: 'it is fine' }, ...items().slice(1)], until())),
      /none that was frozen/,
    ],
    [
      'a taint, and none of its records',
      () => {
        const taint = planCase(is('inventory').body as unknown as Inventory).find(({ kind }) => kind === 'taint');
        const rest = changed(...rewritten([...items(), { nn: taint?.nn, kind: 'taint' }], until()));
        return rest.filter(({ id }) => !id.startsWith(`${caseId}/item/${taint?.nn}/`));
      },
      /never accepted/,
    ],
    [
      'an access key that was shut',
      () => changed(...rewritten([...items(), { nn: '03', kind: 'access-key' }], until())),
      /no record says that item 03 was tried/,
    ],
    [
      'an access key whose records are left out, and that is called open',
      () => {
        const rest = changed(
          ...rewritten([...items(), { nn: '03', kind: 'access-key' }], until()),
          body(is('contained'), { open: [...(is('contained').body.open as string[]), '03'] }),
        );
        return rest.filter(({ id }) => !id.startsWith(`${caseId}/item/03/`));
      },
      /leaves out item 03|counts other/,
    ],
    [
      'a count that says nothing of it',
      () => changed(body(is('closed'), { accepted: undefined })),
      /counts other accepted/,
    ],
    [
      'an acceptance under another name',
      () => [...without(is('accepted/1').id), { ...is('accepted/1'), id: `${caseId}/accepted-1` }],
      /missing|accepted/,
    ],
    [
      'a second acceptance without the first',
      () => changed(body(is('accepted/1'), { n: 2 })),
      /two different|numbered/,
    ],
    ['no linked case', () => without(of('opened').id), /no record opens/],
    ['a linked case that is due later', () => changed(body(of('opened'), { dueAt: until() + 1 })), /not the case/],
    ['a linked case of another worker', () => changed(body(of('opened'), { pseudonym: 'x' })), /not the case/],
    [
      'a linked case that never began',
      () => accepted.filter(({ id, case: c }) => c !== linked || id === of('opened').id),
      /nothing says that anybody tried/,
    ],
    [
      'a linked case that lists somebody else',
      () => changed(body(of('listed'), { principals: [] })),
      /leaves out item/,
    ],
    ['a linked case that plans nothing', () => changed(body(of('inventory'), { exposures: [] })), /leaves out item/],
  ])('%s is refused', (_what, bend, why) => {
    expect(() => check(bend())).toThrow(why);
  });

  test('a linked case that no acceptance names is refused', () => {
    const bent = accepted.filter(({ type }) => type !== 'case.accepted');
    expect(() => checkManifest(bent, linked)).toThrow(/no record says that they were accepted/);
  });
});
