/** An operator has the key of the log, and writes what they like: a case whose records were bent does not pass for whole. */
import { checkManifest, checkOrder } from '../../lib/domain/audit/manifest';
import type { Inventory } from '../../lib/domain/cases/plan';
import { itemsSha, planCase } from '../../lib/domain/cases/plan';
import type { EvidenceRecord } from '../../lib/domain/evidence/record';
import { allRecords, departureWorld, execute, metas, send } from './departure-world';
import { calmly } from './signing-world';

let whole: readonly EvidenceRecord[];
let caseId: string;
beforeAll(async () => {
  const world = await departureWorld(calmly);
  await send(world);
  caseId = metas(world)[0]?.caseId ?? '';
  // With a second listing.
  await execute(world, caseId, 1, async (request, run) => {
    if (request.step === 'plan') world.iam.reactivateAccessKey('mallory', 'AKIALATER');
    return run();
  });
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
function planned(changed: object): readonly [EvidenceRecord, EvidenceRecord] {
  const bent = body(named('inventory'), changed);
  const items = planCase(bent.body as unknown as Inventory);
  return [bent, body(named('planned'), { items, planSha: itemsSha(items) })];
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
