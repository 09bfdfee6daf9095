/**
 * The manifest of a case: which records must exist, and whether they are there and say what their inputs ask for.
 *
 * A hash chain does not see a record that was never written. `case.listed` and `case.inventory` say what there was;
 * the planners that the workflow runs say what had to be done about it; every item then owes its records. A plan that
 * was recorded otherwise than its inputs ask for contradicts itself, and the case is not complete.
 */
import { canonicalJson, type Json, type JsonObject } from '../base/encoding';
import { CurfewError } from '../base/errors';
import { type ContainmentItem, firstNumber } from '../cases/containment';
import type { PlannedItem } from '../cases/plan';
import { type ItemKind, proveItem } from '../cases/proof';
import type { EvidenceRecord, RecordType } from '../evidence/record';
import { acceptancesOf, acceptedNumbers, checkAcceptances, checkProvesAgain } from './accepted';
import {
  findKeyRecord,
  inputsOf,
  inventoriesOf,
  isGivenBack,
  itemsListed,
  laterListings,
  listingsOf,
  numberOf,
  ownRecord,
  recordsOfCase,
} from './case-records';
import { checkDecisions } from './decisions';
import { checkInventory } from './key-states';
import { expectedKeyRecords, expectedRecords, KEY_RECORDS, STAGES } from './owed';
import { checkRechecks } from './rechecks';

/** Throws unless every expected record of the case is there, and the frozen lists are what their inputs ask for. */
export function checkManifest(all: readonly EvidenceRecord[], caseId: string): { readonly expected: number } {
  const records = recordsOfCase(all, caseId);
  if (!records.some(({ type, case: of }) => type === 'case.opened' && of === caseId))
    throw new CurfewError('ERR_EVIDENCE_INCOMPLETE', `there is no case ${caseId} in this log`, { got: caseId });

  checkReadable(records);
  checkDecisions(all, caseId);
  checkRechecks(records, all);
  checkAcceptances(records, all);
  checkProvesAgain(records, all);
  const { plans } = inputsOf(records);
  for (const { inventory } of plans) checkInputs(inventory, records, all);
  checkNumbered('listings', listingsOf(records));
  checkNumbered('plans', inventoriesOf(records));
  for (const record of listingsOf(records)) checkFrozen(record, itemsListed(record));
  for (const { planned, items } of plans) if (planned) checkFrozen(planned, items);

  const ids = new Set(records.filter((record) => record.case === caseId).map(({ id }) => id));
  const expected = expectedRecords(records);
  const expectedOfKeys = expectedKeyRecords(records, all);
  const missing = [
    ...expected.filter((id) => !ids.has(id)),
    ...expectedOfKeys
      .filter((key) => !findKeyRecord(key.type === 'key.retired' ? all : records, key))
      .map(({ type, kid }) => `${type} of ${kid}`),
  ];
  const retired = expectedOfKeys.flatMap(({ type, kid }) => (type === 'key.retired' ? [kid] : []));
  if (missing.length === 0) checkProofs(records, caseId, retired);
  if (missing.length === 0) checkTainted(records, caseId);
  if (missing.length > 0)
    throw new CurfewError(
      'ERR_EVIDENCE_INCOMPLETE',
      `${missing.length} expected records are missing: ${missing.join(', ')}`,
      {
        got: missing,
      },
    );
  return { expected: expected.length + expectedOfKeys.length };
}

/**
 * What such a row meant to record nobody knows: it may have been held, or a second plan. All that is owed being there does
 * not make the case whole, and nothing that comes later takes it back.
 */
function checkReadable(records: readonly EvidenceRecord[]): void {
  const unreadable = records.filter(({ type }) => type === 'record.unreadable').map(({ id }) => id);
  if (unreadable.length === 0) return;
  throw new CurfewError(
    'ERR_EVIDENCE_INCOMPLETE',
    `${unreadable.length} records of the case could not be read before they reached the log: ${unreadable.join(', ')}`,
    { got: unreadable, fix: 'the run-book says under RecordUnreadable how to find the row' },
  );
}

/** Numbered from 1 without a gap: what was listed or planned once is so for good. */
function checkNumbered(what: string, records: readonly EvidenceRecord[]): void {
  const numbers = records.map(numberOf).sort((a, b) => a - b);
  const gap = numbers.findIndex((n, index) => n !== index + 1);
  if (gap < 0) return;
  throw new CurfewError('ERR_EVIDENCE_INCOMPLETE', `the ${what} of the case are not numbered from 1 without a gap`, {
    got: numbers,
    allowed: numbers.map((_, index) => index + 1),
  });
}

/** Nothing that is owed may depend on a lie that the log itself gives away. */
function checkInputs(
  inventory: EvidenceRecord,
  records: readonly EvidenceRecord[],
  all: readonly EvidenceRecord[],
): void {
  const opened = ownRecord(records, 'opened');
  checkInventory(inventory, all);
  const { followUp, things, ends } = inventory.body;
  const { followUpOf, givesBack, kind, ring, kid, class: taintClass } = opened?.body ?? {};
  const isSo = [
    ['followUp', followUp !== false, followUpOf !== undefined, 'follows another'],
    ['things', things !== undefined, givesBack !== undefined, 'gives another back'],
    ['ends', ends !== undefined, kind === 'taint', 'ends a key'],
  ] as const;
  for (const [member, is, asked, what] of isSo)
    if (is !== asked)
      throw new CurfewError(
        'ERR_EVIDENCE_RECORD',
        `${inventory.id} ${is ? 'has' : 'lacks'} ${member}, and ${opened?.id} ${asked ? 'says' : 'does not say'} that the case ${what}`,
        { got: is, allowed: asked },
      );
  if (kind === 'taint') checkEnded(inventory, { ring, kid, class: taintClass } as JsonObject);
}

/** One key, the one that the case was opened for, in the state that the ring's records tell. */
function checkEnded({ id, body }: EvidenceRecord, asked: JsonObject): void {
  const { ends = null, keys = null } = body;
  const listed = Array.isArray(keys) ? (keys as readonly JsonObject[]) : [];
  const isIt = listed.length === 1 && listed[0]?.ring === asked.ring && listed[0]?.kid === asked.kid;
  if (isIt && canonicalJson(ends) === canonicalJson(asked)) return;
  throw new CurfewError('ERR_EVIDENCE_RECORD', `${id}: ends and keys may name only the key of case.opened`, {
    got: { ends, keys },
    allowed: asked,
  });
}

function checkFrozen(frozen: EvidenceRecord, items: object): void {
  if (canonicalJson(frozen.body.items ?? null) !== canonicalJson(items as Json))
    throw new CurfewError(
      'ERR_EVIDENCE_INCOMPLETE',
      `${frozen.id} lists other items than the planner computes from its recorded inputs`,
      {
        got: frozen.body.items,
        allowed: items,
      },
    );
}

/** The plans have the numbers that are theirs, each proof holds by what it says was seen, and the closing counts them all. */
function checkProofs(records: readonly EvidenceRecord[], caseId: string, retired: readonly string[]): void {
  const byId = new Map(records.map((record) => [record.id, record]));
  const { containment = [], plan = [], plans, firstItems } = inputsOf(records);
  for (const { n, inventory } of plans) {
    const first = n === 1 ? firstItems + 1 : firstNumber('plan', n);
    if (inventory.body.firstItem !== first)
      throw new CurfewError('ERR_EVIDENCE_RECORD', `${inventory.id} numbers the plan otherwise than plan ${n} is`, {
        got: inventory.body.firstItem,
        allowed: first,
      });
  }
  const items: readonly (ContainmentItem | PlannedItem)[] = [...containment, ...plan];
  for (const item of items) {
    const { nn, kind } = item;
    const proof = byId.get(`${caseId}/item/${nn}/proved`);
    const end = item.kind === 'taint' && (retired.includes(item.kid) ? 'RETIRED' : 'DENIED');
    if (proof && !(isProof(kind, proof.body) && isSeenAs(end, proof.body)))
      throw new CurfewError(
        'ERR_EVIDENCE_RECORD',
        `${proof.id}: what it says was observed proves no item of kind ${kind}`,
        {
          got: proof.body,
        },
      );
  }
  const closed = byId.get(`${caseId}/closed`);
  if (closed) checkAcceptedCount(closed, records);
  if (closed && !isGivenBack(records)) checkCounted(closed, records, plan.length);
}

/** The closing counts the listings by then, and their items with those of the plan; a listing after it is of a recheck. */
function checkCounted(closed: EvidenceRecord, records: readonly EvidenceRecord[], planned: number): void {
  const isByThen = ({ body }: EvidenceRecord) => Number(body.n) <= Number(closed.body.listings);
  const listings = listingsOf(records);
  const counted = {
    listings: listings.filter(isByThen).length,
    items: listings.filter(isByThen).flatMap(itemsListed).length + planned,
  };
  const late = listings.find((record) => (isByThen(record) ? record.at > closed.at : record.at < closed.at));
  if (late)
    throw new CurfewError(
      'ERR_EVIDENCE_RECORD',
      `${closed.id} counts its listings otherwise than ${late.id} is dated`,
      {
        got: late.at,
      },
    );
  const { listings: of = null, items = null } = closed.body;
  if (of === counted.listings && items === counted.items) return;
  throw new CurfewError(
    'ERR_EVIDENCE_INCOMPLETE',
    `${closed.id} counts other items than the listings and the plan have`,
    { got: { listings: of, items }, allowed: counted },
  );
}

/** Of those, so many stand open; a case that accepted none says nothing of it. */
function checkAcceptedCount(closed: EvidenceRecord, records: readonly EvidenceRecord[]): void {
  const accepted = acceptedNumbers(records).size;
  if (closed.body.accepted === (accepted === 0 ? undefined : accepted)) return;
  throw new CurfewError('ERR_EVIDENCE_RECORD', `${closed.id} counts other accepted items than the case has`, {
    got: closed.body.accepted ?? 0,
    allowed: accepted,
  });
}

/** What the case tainted is in a plan: one that was left out, with all its items, leaves the records of its keys behind. */
function checkTainted(records: readonly EvidenceRecord[], caseId: string): void {
  const { plan = [] } = inputsOf(records);
  const planned = plan.flatMap((item) => (item.kind === 'taint' ? [item.kid] : []));
  const stray = records.find(
    ({ type, case: of, body }) => type === 'key.tainted' && of === caseId && !planned.includes(String(body.kid)),
  );
  if (stray === undefined) return;
  throw new CurfewError('ERR_EVIDENCE_INCOMPLETE', `${stray.id}: the case tainted a key that no plan of it has`, {
    got: stray.body.kid ?? null,
    allowed: planned,
  });
}

/** As the prover judged it, from what is recorded. */
function isProof(kind: ItemKind, { kind: proved, observed }: JsonObject): boolean {
  const isObserved = typeof observed === 'object' && observed !== null && !Array.isArray(observed);
  return proved === kind && isObserved && proveItem(kind, observed as never).ok === true;
}

/** A tainted key was seen as its own records tell its end. */
function isSeenAs(end: string | false, { observed }: JsonObject): boolean {
  return end === false || (observed as JsonObject).state === end;
}

/**
 * Throws if anything claims to have happened before what it follows from. By the instants that the transactions
 * recorded: places in the tree follow the outbox, which may pass two records of one second in either order.
 */
export function checkOrder(all: readonly EvidenceRecord[], caseId: string): void {
  const records = recordsOfCase(all, caseId);
  const { containment = [], plan = [], plans } = inputsOf(records);
  const byId = new Map(records.map((record) => [record.id, record]));
  const item = (nn: string, phase: string) => byId.get(`${caseId}/item/${nn}/${phase}`);
  const stage = (type: RecordType) => byId.get(`${caseId}/${type.slice('case.'.length)}`);
  // What was still open when the case went on may be done later; its proof is owed all the same.
  const { open = [] } = (stage('case.contained')?.body ?? {}) as { readonly open?: readonly string[] };
  // What a recheck found after the closing is proved after it.
  const counted = Number(stage('case.closed')?.body.listings);
  const isListedAfterClose = (nn: string) =>
    laterListings(records).some(({ n, items }) => n > counted && items.includes(nn));
  const keyRecords = (kid: string) => KEY_RECORDS.map((type) => findKeyRecord(records, { type, kid }));
  const plannedNo = (n: number) => plans.find((one) => one.n === n)?.planned;
  // A key that a later plan has once more, for another exposure, was tainted for the first.
  const firstOf = (kid: string) =>
    Math.min(...plans.flatMap(({ n, items }) => (items.some((one) => 'kid' in one && one.kid === kid) ? [n] : [])));

  const chains = [
    STAGES.filter((type) => type !== 'case.followed-up').map(stage),
    ...containment.map(({ nn }) => {
      const later = laterListings(records).find(({ items }) => items.includes(nn));
      const isFirst = later === undefined && !open.includes(nn);
      return [
        later?.record ?? stage('case.listed'),
        item(nn, 'contained'),
        ...(isFirst ? [stage('case.contained')] : []),
      ];
    }),
    ...[...containment, ...plan].map(({ nn }) => [
      stage('case.listed'),
      item(nn, 'proved'),
      ...(isListedAfterClose(nn) ? [] : [stage('case.closed')]),
    ]),
    ...acceptancesOf(records).map((accepted) => [stage('case.planned'), accepted, stage('case.closed')]),
    ...plans.map(({ n, inventory, planned }) => [plannedNo(n - 1), inventory, planned, stage('case.closed')]),
    ...plans.flatMap(({ planned, items }) => items.map(({ nn }) => [planned, item(nn, 'done'), item(nn, 'proved')])),
    ...plan.flatMap((planned) =>
      planned.kind === 'taint'
        ? [[plannedNo(firstOf(planned.kid)), ...keyRecords(planned.kid), stage('case.closed')]]
        : [],
    ),
  ];
  for (const chain of chains) checkChain(chain.filter((record) => record !== undefined));
}

function checkChain(chain: readonly EvidenceRecord[]): void {
  for (const [i, after] of chain.entries()) {
    const before = chain[i - 1];
    if (before && after.at < before.at)
      throw new CurfewError('ERR_EVIDENCE_RECORD', `${after.id} is dated before ${before.id}, which it follows`, {
        got: after.at,
        allowed: `${before.at} or later`,
      });
  }
}
