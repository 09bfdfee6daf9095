/**
 * What two people accepted of a case, as its records tell it (docs/evidence-format.md, "Acceptances"): which items owe no proof,
 * by whose word, until when, and which linked case proves them again.
 */
import { canonicalJson, type Json, type JsonObject } from '../base/encoding';
import { CurfewError } from '../base/errors';
import {
  ACCEPTED_SECONDS_MAX,
  type AcceptedItem,
  acceptanceDigest,
  acceptedItem,
  neverAccepted,
} from '../cases/accepted';
import type { Inventory } from '../cases/plan';
import type { CaseItem } from '../cases/proof';
import type { EvidenceRecord } from '../evidence/record';
import { caseOf, givenBackBy, inputsOf, inventoriesOf, inventoryIn, ownRecord } from './case-records';

/** A case is started within minutes of its date; a day later nothing but an operator can have kept it from that. */
const BEGUN_WITHIN_SECONDS = 86_400;

/** By their ids: another record of the type stands for none. */
export function acceptancesOf(records: readonly EvidenceRecord[]): readonly EvidenceRecord[] {
  const caseId = caseOf(records);
  const prefix = `${caseId}/accepted/`;
  return records.filter(({ type, case: of, id }) => type === 'case.accepted' && of === caseId && id.startsWith(prefix));
}

/** Numbers of the items that stand open. */
export function acceptedNumbers(records: readonly EvidenceRecord[]): ReadonlySet<string> {
  return new Set(acceptancesOf(records).flatMap((record) => itemsOf(record).map(({ nn }) => nn)));
}

/** What an acceptance owes: itself, and the word of two people. */
export function owedByAcceptances(records: readonly EvidenceRecord[]): readonly string[] {
  return acceptancesOf(records).flatMap(({ id }) => [id, `${id}/approved/1`, `${id}/approved/2`]);
}

/** The records that open the linked cases: they leave in the transaction of the acceptance, under another name. */
export function linkedOpenings(records: readonly EvidenceRecord[]): readonly string[] {
  return acceptancesOf(records).map(({ body }) => `${String(body.linked)}/opened`);
}

function itemsOf({ id, body }: EvidenceRecord): readonly AcceptedItem[] {
  const { items } = body;
  if (Array.isArray(items) && items.length > 0 && items.every((one) => typeof (one as JsonObject)?.nn === 'string'))
    return items as unknown as readonly AcceptedItem[];
  throw broken(`${id} names no items`, id);
}

/**
 * `own`: the records of the case. That two approvers decided each of them `decisions.ts` asks; here, whether what they decided may
 * be accepted at all, and what became of it.
 */
export function checkAcceptances(own: readonly EvidenceRecord[], all: readonly EvidenceRecord[]): void {
  const acceptances = acceptancesOf(own);
  const numbers = acceptances.map(({ body }) => body.n);
  if (acceptances.some(({ id }, index) => !numbers.includes(index + 1) || !id.endsWith(`/accepted/${numbers[index]}`)))
    throw broken('the acceptances of the case are not numbered from 1 without a gap', acceptances[0]?.id ?? '');
  const { containment = [], plan = [] } = inputsOf(own);
  const items: readonly CaseItem[] = [...containment, ...plan];
  const inventories = inventoriesOf(own).map(inventoryIn);
  const named = acceptances.flatMap(itemsOf).map(({ nn }) => nn);
  if (new Set(named).size !== named.length)
    throw broken('an item of the case is accepted twice', acceptances[0]?.id ?? '');
  for (const record of acceptances) {
    for (const given of itemsOf(record)) checkItem(given, record, { items, inventories, own });
    checkEnd(record);
    checkLinked(record, { items, inventories, own }, all);
  }
}

interface Asked {
  readonly items: readonly CaseItem[];
  readonly inventories: readonly Inventory[];
  readonly own: readonly EvidenceRecord[];
}

/** It is an item of the case as it was frozen, of a kind that nobody may be able to act on, and nobody ever did. */
function checkItem(given: AcceptedItem, { id }: EvidenceRecord, { items, inventories, own }: Asked): void {
  const item = items.find(({ nn }) => nn === given.nn);
  if (item === undefined || canonicalJson(acceptedItem(item)) !== canonicalJson(given))
    throw broken(`${id}: item ${given.nn} is none that was frozen`, id);
  const never = neverAccepted(item, inventories);
  if (never !== undefined) throw broken(`${id}: item ${given.nn} is never accepted: ${never}`, id);
  const open = ownRecord(own, 'contained')?.body.open;
  const isFirst = (ownRecord(own, 'listed')?.body.items as readonly JsonObject[] | undefined)?.some(
    ({ nn }) => nn === given.nn,
  );
  if (isFirst && !(Array.isArray(open) && open.includes(given.nn)))
    throw broken(`${id}: no record says that item ${given.nn} was tried and is open`, id);
  for (const phase of ['contained', 'done', 'proved'])
    if (ownRecord(own, `item/${given.nn}/${phase}`) !== undefined)
      throw broken(`${id}: item ${given.nn} was ${phase}, and is no item that nobody can act on`, id);
}

function checkEnd({ id, at, body }: EvidenceRecord): void {
  const { until } = body;
  if (typeof until === 'number' && at < until && until <= at + ACCEPTED_SECONDS_MAX) return;
  throw broken(`${id} is not accepted for 90 days at most`, id);
}

/** Two approvers had this list and this end before them. */
export function acceptanceAbout(record: EvidenceRecord): string {
  return acceptanceDigest(itemsOf(record), Number(record.body.until));
}

/** Born with the acceptance; and once its date is a day old, it has listed what was accepted. */
function checkLinked(record: EvidenceRecord, asked: Asked, all: readonly EvidenceRecord[]): void {
  const { id, at, body, case: caseId } = record;
  const linked = all.filter(({ case: of }) => of === body.linked);
  const find = (name: string) => linked.find((one) => one.id === `${String(body.linked)}/${name}`);
  const opened = find('opened');
  if (opened === undefined)
    throw new CurfewError('ERR_EVIDENCE_INCOMPLETE', `${id} names a case that no record opens`, {
      got: String(body.linked),
      fix: 'export again in a minute: the outbox delivers it',
    });
  const { provesAgain, provesAgainAt, dueAt, pseudonym } = opened.body;
  const isThat =
    opened.type === 'case.opened' &&
    opened.at === at &&
    provesAgain === caseId &&
    provesAgainAt === body.n &&
    dueAt === body.until &&
    pseudonym === ownRecord(asked.own, 'opened')?.body.pseudonym;
  if (!isThat) throw broken(`${opened.id} is not the case that proves the items of ${id} again`, opened.id);
  const end = all.reduce((last, one) => Math.max(last, one.at), 0);
  // Two people gave back what it follows, and it with it.
  const isGivenBack = givenBackBy(asked.own) !== undefined;
  const listed = find('listed');
  if (listed === undefined && end > Number(body.until) + BEGUN_WITHIN_SECONDS && !isGivenBack)
    throw new CurfewError(
      'ERR_EVIDENCE_INCOMPLETE',
      `the items of ${id} were to be proved again at ${Number(body.until)}, and nothing says that anybody tried`,
      { got: String(body.linked), fix: `see \`curfew case show ${String(body.linked)}\`` },
    );
  checkTriedAgain(record, asked, [listed, find('inventory')]);
}

/** The linked case is about what was accepted: each principal, and each exposure, under the name that it had. */
function checkTriedAgain(
  record: EvidenceRecord,
  { items, inventories, own }: Asked,
  [listed, planned]: readonly (EvidenceRecord | undefined)[],
): void {
  const principals = objects(listed?.body.principals);
  const exposures = objects(planned?.body.exposures).map((one) => canonicalJson(one));
  const { plan = [] } = inputsOf(own);
  for (const { nn } of itemsOf(record)) {
    const item = items.find((one) => one.nn === nn);
    if (item === undefined || !('ref' in item) || item.ref === 'more') continue;
    const isExposure = item.kind === 'unplannable' && plan.some((one) => one.nn === nn);
    const exposure = inventories.flatMap(({ exposures: of }) => of).find(({ ref }) => ref === item.ref);
    const isThere = isExposure
      ? planned === undefined || exposures.includes(canonicalJson(exposure ?? null))
      : listed === undefined || principals.some(({ ref }) => ref === item.ref);
    if (!isThere)
      throw broken(`${(isExposure ? planned : listed)?.id} leaves out item ${nn} of ${record.id}`, record.id);
  }
}

/** A case that proves items again rests on the acceptance that names it. */
export function checkProvesAgain(own: readonly EvidenceRecord[], all: readonly EvidenceRecord[]): void {
  const opened = ownRecord(own, 'opened');
  const { provesAgain, provesAgainAt } = opened?.body ?? {};
  if (opened === undefined || provesAgain === undefined) return;
  const accepted = all.find(({ id }) => id === `${String(provesAgain)}/accepted/${String(provesAgainAt)}`);
  if (accepted?.type !== 'case.accepted' || accepted.body.linked !== opened.case)
    throw broken(
      `${opened.id} proves items of ${String(provesAgain)} again, and no record says that they were accepted`,
      opened.id,
    );
}

function objects(given: Json | undefined): readonly JsonObject[] {
  return Array.isArray(given) ? (given as readonly JsonObject[]) : [];
}

function broken(message: string, got: string): CurfewError {
  return new CurfewError('ERR_EVIDENCE_RECORD', message, { got });
}
