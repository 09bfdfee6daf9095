/**
 * What two people may accept: an item that nobody can act on, until a date on which a linked case proves it again. An accepted
 * item is not proved, and nothing says that it is.
 *
 * Accepted is what was tried and refused. What Curfew does by itself is waited for: a key of a ring is ended, and never
 * accepted, a cut-off is a write of our own, and what was shut once and is open again is shut again.
 */
import { canonicalJson, H, type Members } from '../base/encoding';
import { CurfewError } from '../base/errors';
import type { AcceptedItems, DepartureCase } from '../store/case';
import { type AcceptedItem, CASE_ITEM, type CaseItem, type Inventory, type StoredItem } from '../store/case-items';
import type { Write } from '../store/table';
import { isWaiting, openQuestion, stopOf } from './case';
import { bornOf } from './linked';
import { keyExposed } from './plan';
import { acceptedRecord } from './records';
import { bornCase, type Outgoing, transition } from './transitions';

export type { AcceptedItem } from '../store/case-items';

/** At the latest then it is proved again. */
export const ACCEPTED_SECONDS_MAX = 90 * 86_400;
/** What one transaction has room for, with the records and the linked case. */
const ACCEPTED_AT_ONCE_MAX = 50;

/** What an approval to accept says: which items of the case, by number, and until when. */
interface Acceptance {
  readonly items: readonly string[];
  readonly until: number;
}

/** From outside of TypeScript: items by number, each once and in order, and an end within 90 days. */
export function parseAcceptance({ items, until }: Members, now: number): Acceptance {
  const isList = Array.isArray(items) && items.length >= 1 && items.length <= ACCEPTED_AT_ONCE_MAX;
  const numbers = isList ? items.filter((nn) => typeof nn === 'string' && /^\d{2,8}$/.test(nn)) : [];
  if (!isList || numbers.length !== items.length || new Set(numbers).size !== numbers.length)
    throw new CurfewError('ERR_INPUT_INVALID', 'the items are not a list of item numbers, each once', {
      got: Array.isArray(items) ? items.length : typeof items,
      allowed: `1 to ${ACCEPTED_AT_ONCE_MAX} numbers, as \`curfew case show\` prints them`,
      fix: 'use `curfew case accept CASE --item NN`',
    });
  if (typeof until !== 'number' || !Number.isSafeInteger(until) || until <= now || until > now + ACCEPTED_SECONDS_MAX)
    throw new CurfewError('ERR_INPUT_INVALID', 'the end date is not within the next 90 days', {
      got: typeof until === 'number' ? until : typeof until,
      allowed: [now + 1, now + ACCEPTED_SECONDS_MAX],
      fix: 'name a day that is nearer: at its end the items are proved again, and may be accepted again',
    });
  return { items: [...numbers].sort(), until };
}

/** An item as people accept it, and as it stands in evidence. */
export function acceptedItem(item: CaseItem): AcceptedItem {
  const { nn, kind } = item;
  return { nn, kind, ...(item.kind === 'unplannable' && { reason: item.reason }) };
}

/** What both approvers had before them: a verifier computes it again from `case.accepted`. */
export function acceptanceDigest(items: readonly AcceptedItem[], until: number): string {
  return H(canonicalJson({ items: [...items].sort((a, b) => (a.nn < b.nn ? -1 : 1)), until }));
}

/** IAM, or KMS of another account, may refuse these for good. */
const REFUSABLE: readonly CaseItem['kind'][] = ['latch', 'access-key', 'personal-key', 'login-profile'];

const NOT_ACCEPTED: Readonly<Partial<Record<CaseItem['kind'], string>>> = {
  taint: 'a key of a ring is ended, and never accepted: see what its steps wait for with `curfew ring show`',
  'cut-off': 'Curfew blocks tokens by itself: see the error of the item in the execution',
  'rotate-again': 'Curfew plans the second rotation by itself: see the error of the item in the execution',
  release: 'open it by hand: the next attempt of the give-back finds it open',
};

/** That of the plan which has the item: each plan has references of its own. */
function inventoryOf<I extends Pick<Inventory, 'exposures'>>(
  { ref }: Extract<CaseItem, { kind: 'unplannable' }>,
  inventories: readonly I[],
): I | undefined {
  return inventories.find(({ exposures }) => exposures.some((one) => one.ref === ref));
}

/** Why an item of this kind is never accepted, whatever its state; asked by the decider and by the offline verifier. */
export function neverAccepted(
  item: CaseItem,
  inventories: readonly Pick<Inventory, 'exposures' | 'keys'>[],
): string | undefined {
  if (item.kind !== 'unplannable') return REFUSABLE.includes(item.kind) ? undefined : NOT_ACCEPTED[item.kind];
  const { exposures = [], keys = [] } = inventoryOf(item, inventories) ?? {};
  const exposure = exposures.find(({ ref }) => ref === item.ref);
  if (exposure?.class === 'copied-possible' && keyExposed(exposure, keys) !== undefined)
    return 'the key could have been copied: rotate the ring until it has issued, then `curfew ring taint`';
  if (item.ref === 'more' && item.reason.includes('exposures'))
    return 'a key that could have been copied may be among them: end what they name with `curfew ring taint`';
  return undefined;
}

/** Why this item may not be accepted as it stands; undefined where it may. */
function unacceptable(
  { item, phase, state, doneAt }: StoredItem,
  meta: DepartureCase,
  inventories: readonly Inventory[],
): string | undefined {
  if (state === 'ACCEPTED') return 'it is accepted already';
  if (state === 'DONE' || state === 'PROVED') return `it is ${state}, and needs nobody`;
  const never = neverAccepted(item, inventories);
  if (never !== undefined || item.kind === 'unplannable') return never;
  if (doneAt !== undefined) return 'it was shut before and is open again: Curfew shuts it again; find out who opens it';
  // An item of the plan that was never claimed was not tried; one of containment always is.
  const wasTried = meta.attempt > 1 && (phase === 'contain' || state === 'STARTED');
  return wasTried ? undefined : 'it was not tried twice yet: look again after the next attempt';
}

/** Why nothing of this case may be accepted now. */
export function acceptsNothing(meta: DepartureCase, now: number): string | undefined {
  if (meta.givesBack !== undefined)
    return 'it is a give-back: open by hand what it cannot open, and its next attempt finds it open';
  if (meta.state === 'CLOSED') return 'the case is closed';
  if (isWaiting(meta)) return 'no import names the worker: import what they have, with `curfew people import FILE`';
  if (meta.act === 'suspend')
    return 'a suspension does not close: give it back, or have HR say that the employment ends';
  if (openQuestion(meta) !== undefined) return 'a question is open: decide that first, with `curfew case approve`';
  const stop = stopOf(meta, now);
  if (stop !== undefined) return `it waits: ${stop.why}`;
  return meta.plannedAt === undefined ? 'the case has no plan yet: look again in a minute' : undefined;
}

/** The items that an approval names, as they stand now; or why it can have no effect. */
export function acceptedNow(
  { items: numbers, until }: Acceptance,
  meta: DepartureCase,
  items: readonly StoredItem[],
  inventories: readonly Inventory[],
  now: number,
): { readonly items: readonly StoredItem[] } | { readonly why: string } {
  if (until <= now || until > now + ACCEPTED_SECONDS_MAX)
    return { why: 'its end is not within the next 90 days: name an earlier day' };
  const found = numbers.map((nn) => items.find(({ item }) => item.nn === nn));
  for (const [n, stored] of found.entries()) {
    const why = stored === undefined ? 'the case has no such item' : unacceptable(stored, meta, inventories);
    if (why !== undefined) return { why: `item ${numbers[n]}: ${why}` };
  }
  return { items: found.filter((stored) => stored !== undefined) };
}

/** What a person may accept of the case; for `case show`, and where they name no item. */
export function acceptable(
  meta: DepartureCase,
  items: readonly StoredItem[],
  inventories: readonly Inventory[],
): readonly StoredItem[] {
  return items.filter((stored) => unacceptable(stored, meta, inventories) === undefined);
}

/**
 * The case that proves the items again at the end date: of the same departure, from the beginning, about these items alone. It is
 * born with the acceptance and not when the case closes: a crash in between cannot lose it, and an acceptance whose case stays
 * open over another item ends on its date all the same.
 */
export function linkedCase(meta: DepartureCase, { linked, until }: AcceptedItems, now: number): DepartureCase {
  const { effectiveAt, finalAt } = meta;
  return bornOf(meta, {
    caseId: linked,
    effectiveAt,
    finalAt,
    dueAt: until,
    provesAgain: meta.caseId,
    provesAgainAt: (meta.accepted?.length ?? 0) + 1,
    openedAt: now,
  });
}

/** One transaction: the items, the case that goes on without them, the records, and the linked case with its due marker. */
export function acceptWrites(
  meta: DepartureCase,
  accepted: AcceptedItems,
  items: readonly StoredItem[],
  linked: DepartureCase,
  outgoing: { readonly approved: readonly Outgoing[]; readonly opened: Outgoing },
): readonly Write<'cases:put' | 'cases:update'>[] {
  const now = linked.openedAt;
  const n = (meta.accepted?.length ?? 0) + 1;
  const record = acceptedRecord(
    meta,
    n,
    items.map(({ item }) => acceptedItem(item)),
    linked,
    now,
  );
  return [
    ...transition(meta, { accepted: [...(meta.accepted ?? []), accepted], attempt: meta.attempt + 1 }, [
      ...outgoing.approved,
      { record, event: { detailType: 'CaseAccepted', detail: { id: meta.caseId, items: items.length } } },
    ]),
    ...items.map(
      ({ item, state }): Write<'cases:update'> => ({
        kind: 'update',
        table: 'cases',
        key: CASE_ITEM.key(meta.caseId, item),
        set: { state: 'ACCEPTED', acceptedUntil: accepted.until },
        // Done in this moment: then there is nothing to accept, and the decision is judged again.
        if: [{ attribute: 'state', is: '=', value: state }],
      }),
    ),
    ...bornCase(linked, [outgoing.opened]),
  ];
}
