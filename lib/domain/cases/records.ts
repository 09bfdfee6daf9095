/**
 * The records of a case, one builder per type. Ids derive from case and item, so a replay names the same record.
 *
 *     c-…/opened   c-…/listed   c-…/listed/2   c-…/item/01/contained   c-…/contained   c-…/asked/1   c-…/held/1   c-…/went-on/1
 *     c-…/inventory   c-…/planned   c-…/inventory/2   c-…/planned/2   c-…/item/07/done   c-…/followed-up   c-…/item/07/proved
 *     c-…/accepted/1   c-…/closed
 *
 * In clear stands what the offline verifier computes with: pseudonym, kinds, references, rings, kids, custody classes.
 * Names, ARNs and addresses come in as text that is sealed already, bound to the record and the member they stand in.
 */
import type { JsonObject } from '../base/encoding';
import { CurfewError } from '../base/errors';
import { type EvidenceRecord, formatRecord, RECORD_BYTES_MAX, type RecordType } from '../evidence/record';
import type { Rechecks, TaintCase } from '../store/case';
import type { AcceptedItem } from '../store/case-items';
import type { CaseMeta, DepartureCase, Question } from './case';
import type { ContainmentItem, PrincipalRef } from './containment';
import { type Inventory, itemsSha, type PlannedItem } from './plan';
import type { CaseItem, ItemKind, Observations, Proof } from './proof';

/** What a sealed member of a record is bound to. */
export function sealContext(caseId: string, name: string): string {
  return `${caseId}/${name}#sealed`;
}

/** `zone`: that of the date that counted, so that a reader can be shown the hour HR meant. */
export function openedRecord(
  meta: DepartureCase,
  { zone }: { readonly zone?: string },
  sealed: string,
  at: number,
): EvidenceRecord {
  const { pseudonym, act, number, effectiveAt, finalAt, dueAt, source, corroboration, voices } = meta;
  const { followUpOf, isLate, givesBack, readmits, provesAgain, provesAgainAt, hrEventAt, acceptedAt } = meta;
  const body = {
    kind: meta.kind,
    pseudonym,
    act,
    number,
    effectiveAt,
    finalAt,
    zone,
    dueAt,
    source,
    voices: voices.map(({ source: of, origin }) => ({ source: of, origin })),
    corroboration,
    hrEventAt,
    acceptedAt,
    followUpOf,
    isLate,
    givesBack,
    ...(readmits && { readmits: true }),
    provesAgain,
    provesAgainAt,
    sealed,
  };
  return record(meta, 'case.opened', 'opened', body, at);
}

/** Who asked for it AWS alone knows: CloudTrail has who invoked the opener. */
export function openedTaintRecord(meta: TaintCase, at: number): EvidenceRecord {
  return record(meta, 'case.opened', 'opened', { kind: meta.kind, ...meta.key }, at);
}

/** Why people are asked; `about` is the digest of the statements that they have before them. */
export function askedRecord(meta: CaseMeta, { n, reasons, about }: Question, at: number): EvidenceRecord {
  return record(meta, 'case.asked', `asked/${n}`, { n, reasons: [...reasons], about }, at);
}

/** Contained, and what cannot be undone waits for the answer to this question. */
export function heldRecord(meta: CaseMeta, question: number, at: number): EvidenceRecord {
  return record(meta, 'case.held', `held/${question}`, { question }, at);
}

/** The question is over: by people, or because the sources agree again. */
export function endedRecord(
  meta: CaseMeta,
  { n, endedBy }: Pick<Question, 'n' | 'endedBy'>,
  at: number,
  /** The case that opens again what this one shut. */
  giveBack?: string,
): EvidenceRecord {
  return record(meta, 'case.went-on', `went-on/${n}`, { question: n, by: endedBy, giveBack }, at);
}

/** The `n`th acceptance: what stays open, until when, and the linked case that proves it again then. */
export function acceptedRecord(
  meta: CaseMeta,
  n: number,
  items: readonly AcceptedItem[],
  linked: Pick<CaseMeta, 'caseId' | 'dueAt'>,
  at: number,
): EvidenceRecord {
  const body = { n, items: [...items], until: linked.dueAt, linked: linked.caseId };
  return record(meta, 'case.accepted', `accepted/${n}`, body, at);
}

/** The `n`th listing: the first has all that was known, a later one what was found since. */
export function listedRecord(
  meta: CaseMeta,
  n: number,
  principals: readonly PrincipalRef[],
  items: readonly ContainmentItem[],
  at: number,
): EvidenceRecord {
  return record(meta, 'case.listed', frozenName('listed', n), { n, principals, items, itemsSha: itemsSha(items) }, at);
}

/** A containment item says `contained`, an item of the plan `done`; both with what was read back, of whom is sealed. */
export function itemRecord(
  meta: CaseMeta,
  phase: 'contained' | 'done',
  item: CaseItem,
  observed: Observations[ItemKind],
  at: number,
  sealed?: string,
): EvidenceRecord {
  const body = { nn: item.nn, kind: item.kind, observed, sealed };
  return record(meta, `item.${phase}`, `item/${item.nn}/${phase}`, body, at, ringOf(item));
}

/** What a look found open for the `n`th time after it had been shut; and that it was shut again, and read back. */
export function recheckRecord(
  meta: CaseMeta,
  what: 'found-open' | 'shut-again',
  item: CaseItem,
  n: number,
  observed: Observations[ItemKind],
  at: number,
): EvidenceRecord {
  const body = { nn: item.nn, kind: item.kind, n, observed };
  return record(meta, `item.${what}`, `item/${item.nn}/${what}/${n}`, body, at, ringOf(item));
}

/** The last look was made. `foundOpen`: how often something was open; `unseen`: items of which that could not be told. */
export function recheckedRecord(
  meta: CaseMeta,
  { until, times, longestGap }: Rechecks,
  {
    foundOpen,
    listings,
    unseen,
  }: { readonly foundOpen: number; readonly listings: number; readonly unseen: readonly string[] },
  at: number,
): EvidenceRecord {
  return record(
    meta,
    'case.rechecked',
    'rechecked',
    { until, times, longestGap, foundOpen, listings, unseen: [...unseen] },
    at,
  );
}

export function provedRecord(
  meta: CaseMeta,
  item: CaseItem,
  { expected, observed }: Proof,
  at: number,
): EvidenceRecord {
  const body = { nn: item.nn, kind: item.kind, expected, observed };
  return record(meta, 'item.proved', `item/${item.nn}/proved`, body, at, ringOf(item));
}

/** `items` were read back as done; those that are `open` keep the case from closing. */
export function containedRecord(
  meta: CaseMeta,
  items: number,
  open: readonly string[],
  at: number,
  rechecks: Rechecks | undefined,
): EvidenceRecord {
  return record(meta, 'case.contained', 'contained', { items, open, recheckUntil: rechecks?.until }, at);
}

/** The first of its kind has the bare name. */
export function frozenName(of: 'listed' | 'inventory' | 'planned', n: number): string {
  return n === 1 ? of : `${of}/${n}`;
}

/** `sealed`: how we know of each custody; none where the case is about a key. */
export function inventoryRecord(
  meta: CaseMeta,
  inventory: Inventory,
  sealed: string | undefined,
  at: number,
): EvidenceRecord {
  return record(meta, 'case.inventory', frozenName('inventory', inventory.n ?? 1), { ...inventory, sealed }, at);
}

/** `n`: as in the inventory that it was made from. */
export function plannedRecord(meta: CaseMeta, items: readonly PlannedItem[], at: number, n?: number): EvidenceRecord {
  return record(meta, 'case.planned', frozenName('planned', n ?? 1), { n, items, planSha: itemsSha(items) }, at);
}

export function followedUpRecord(
  meta: CaseMeta,
  followUp: Pick<CaseMeta, 'caseId' | 'dueAt'>,
  at: number,
): EvidenceRecord {
  return record(meta, 'case.followed-up', 'followed-up', { followUp: followUp.caseId, dueAt: followUp.dueAt }, at);
}

/** What a case about a key has not. */
const NONE: Partial<DepartureCase> = {};

/**
 * `accepted`: how many of the items stand open. `open`: items that a give-back leaves, because the worker departs again, or a case
 * that nobody decided about; `notDecided` is the question then.
 */
export function closedRecord(
  meta: CaseMeta,
  { listings, items, accepted }: { readonly listings: number; readonly items: number; readonly accepted?: number },
  at: number,
  { open, notDecided }: { readonly open?: readonly string[]; readonly notDecided?: number } = {},
): EvidenceRecord {
  const { containedAt, plannedAt, taintedAt, deniedAt, provedAt } = meta;
  const { pseudonym, followUp, givenBackAt } = meta.kind === 'departure' ? meta : NONE;
  return record(
    meta,
    'case.closed',
    'closed',
    {
      pseudonym,
      listings,
      items,
      accepted,
      containedAt,
      plannedAt,
      taintedAt,
      deniedAt,
      provedAt,
      followUp,
      givenBackAt,
      open,
      notDecided,
    },
    at,
  );
}

function record(
  { caseId }: Pick<CaseMeta, 'caseId'>,
  type: RecordType,
  name: string,
  body: JsonObject,
  at: number,
  ring?: string,
): EvidenceRecord {
  const written: EvidenceRecord = {
    v: 1,
    id: `${caseId}/${name}`,
    type,
    at,
    case: caseId,
    ...(ring !== undefined && { ring }),
    body,
  };
  // Before the transaction that carries it: after that, a record too large to append would block all behind it.
  const bytes = Buffer.byteLength(formatRecord(written));
  if (bytes > RECORD_BYTES_MAX)
    throw new CurfewError('ERR_PLAN_INVALID', `the record ${written.id} is larger than the log takes`, {
      got: bytes,
      allowed: RECORD_BYTES_MAX,
      fix: 'name fewer principals and exposures in people-import',
    });
  return written;
}

function ringOf(item: CaseItem): string | undefined {
  return 'ring' in item ? item.ring : undefined;
}
