/** An operator has the key of the log, and writes what they like: a case whose records were bent does not pass for whole. */
import { rotate } from '../../lambdas/rotator';
import { tick } from '../../lambdas/ticker';
import { checkManifest, checkOrder } from '../../lib/domain/audit/manifest';
import { firstNumber } from '../../lib/domain/cases/containment';
import type { Inventory } from '../../lib/domain/cases/plan';
import { itemsSha, planCase } from '../../lib/domain/cases/plan';
import type { EvidenceRecord } from '../../lib/domain/evidence/record';
import { LOOK_AGAIN_SECONDS } from '../../lib/work/cases/start-case';
import { allRecords, departureWorld, execute, imported, metas, send, WORKER } from './departure-world';
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
