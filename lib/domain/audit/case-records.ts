/**
 * The records of one case in a log, found by their ids, and the planners over those that are inputs: `case.listed` says what
 * containment was asked of, `case.inventory` what a plan was made from.
 */

import { CurfewError } from '../base/errors';
import { type ContainmentItem, listContainment, type PrincipalRef } from '../cases/containment';
import { type Inventory, planCase } from '../cases/plan';
import { frozenName } from '../cases/records';
import type { EvidenceRecord, RecordType } from '../evidence/record';

/** Records of the case itself and those of rings that carry it. */
export function recordsOfCase<T extends EvidenceRecord>(records: readonly T[], caseId: string): T[] {
  return records.filter(
    ({ case: of, body }) => of === caseId || (Array.isArray(body.cases) && body.cases.includes(caseId)),
  );
}

export function caseOf(records: readonly EvidenceRecord[]): string {
  const opened = records.find(({ type }) => type === 'case.opened');
  if (opened?.case !== undefined) return opened.case;
  throw new CurfewError('ERR_EVIDENCE_INCOMPLETE', 'no record opens the case');
}

/** What carries the name of the case and of no ring: whoever else names it among others, decides nothing about it. */
function ownRecords(records: readonly EvidenceRecord[]): readonly EvidenceRecord[] {
  const caseId = caseOf(records);
  return records.filter(({ case: of, ring }) => of === caseId && ring === undefined);
}

/** By its id: another record of the type, whatever it says, stands in for none. */
export function ownRecord(records: readonly EvidenceRecord[], name: string): EvidenceRecord | undefined {
  const caseId = caseOf(records);
  return records.find(({ id, case: of }) => id === `${caseId}/${name}` && of === caseId);
}

export function listingsOf(records: readonly EvidenceRecord[]): readonly EvidenceRecord[] {
  const caseId = caseOf(records);
  return records.filter(({ type, case: of }) => type === 'case.listed' && of === caseId);
}

/** Each is the input of one plan: the first of what was known by then, a later one of what was imported since. */
export function inventoriesOf(records: readonly EvidenceRecord[]): readonly EvidenceRecord[] {
  const caseId = caseOf(records);
  return records.filter(({ type, case: of }) => type === 'case.inventory' && of === caseId);
}

/** Which listing or plan of the case it is about; the first plan does not say so. */
export function numberOf({ type, body }: EvidenceRecord): number {
  return Number(type === 'case.inventory' ? (body.n ?? 1) : body.n);
}

/** What a plan was made from. */
export function inventoryIn({ body }: EvidenceRecord): Inventory {
  return body as unknown as Inventory;
}

/** What was planned, one entry an inventory. */
function plansOf(records: readonly EvidenceRecord[]) {
  return inventoriesOf(records).map((inventory) => {
    const n = numberOf(inventory);
    const items = planCase(inventoryIn(inventory));
    return { n, inventory, planned: ownRecord(records, frozenName('planned', n)), items };
  });
}

/** The items that one listing asks for; each listing has its own numbers. */
export function itemsListed({ body }: EvidenceRecord): readonly ContainmentItem[] {
  return listContainment(body.principals as unknown as readonly PrincipalRef[], Number(body.n));
}

/** What was listed after the first list: nothing says that there had to be one. */
export function laterListings(records: readonly EvidenceRecord[]) {
  const listings = listingsOf(records).filter(({ body }) => body.n !== 1);
  return listings.map((record) => ({
    n: Number(record.body.n),
    record,
    items: itemsListed(record).map(({ nn }) => nn),
  }));
}

/** The planners over the recorded inputs; undefined where an input is not recorded yet. */
export function inputsOf(records: readonly EvidenceRecord[]) {
  const listed = listingsOf(records);
  try {
    const plans = plansOf(records);
    return {
      containment: listed.length === 0 ? undefined : listed.flatMap(itemsListed),
      firstItems: listed.filter(({ body }) => body.n === 1).flatMap(itemsListed).length,
      plan: plans.length === 0 ? undefined : plans.flatMap(({ items }) => items),
      plans,
    };
  } catch (cause) {
    throw new CurfewError('ERR_EVIDENCE_RECORD', 'the planner rejects the recorded inputs of the case', { cause });
  }
}

/** A responder asked to end a key: there is no departure. */
export function endsKey(records: readonly EvidenceRecord[]): boolean {
  return ownRecord(records, 'opened')?.body.kind === 'taint';
}

/** Two people gave the departure back: `decisions.ts` asks whether they did. */
export function isGivenBack(records: readonly EvidenceRecord[]): boolean {
  // Given back after it was closed, it owes all that it owed when it was.
  const closed = ownRecords(records).find(({ type }) => type === 'case.closed');
  return givenBackBy(records) !== undefined && (closed === undefined || closed.body.givenBackAt !== undefined);
}

/** The record that says so, whether the case was closed by then or not. */
export function givenBackBy(records: readonly EvidenceRecord[]): EvidenceRecord | undefined {
  return ownRecords(records).find(({ type, body }) => type === 'case.went-on' && body.by === 'give-back');
}

/** The one of these records, all of the case, that is this. */
export function findKeyRecord(
  records: readonly EvidenceRecord[],
  { type, kid }: { readonly type: RecordType; readonly kid: string },
): EvidenceRecord | undefined {
  return records.find((record) => record.type === type && record.body.kid === kid);
}
