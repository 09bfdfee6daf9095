/**
 * A case, in table `cases`.
 *
 *     CASE#{id} | META          kind=departure|taint state version attempt fence …
 *     DUE | {dueAt}#{id}        what the ticker looks for: a follow-up's date, or when to look after an attempt
 *     RECHECK | {at}#{id}       what the rechecker looks for: when what was shut is looked at again
 */
import * as z from 'zod/mini';
import { casePartition } from './case-items';
import { entity, type Schema, shape } from './entity';
import { CORROBORATIONS, type Corroboration } from './inbox';
import { TAINT_CLASSES, type TaintClass } from './ring-key';
import { flag, text, whole } from './shapes';
import { ordered } from './table';

const CASE_STATES = ['OPEN', 'DUE', 'CONTAINING', 'CONTAINED', 'ACTING', 'PROVING', 'CLOSED'] as const;
export type CaseState = (typeof CASE_STATES)[number];

/**
 * What a departure does. `custody`: what the worker had custody of is ended, their own access stays (a transfer). `suspend`:
 * contained, and nothing else. `end`: contained, and everything that follows. The last covers the others.
 */
export const ACTS = ['custody', 'suspend', 'end'] as const;
export type Act = (typeof ACTS)[number];

/** `not-decided`: nobody could, for 30 days, and the case closed. */
export const ENDED_BY = ['go-on', 'give-back', 'sources', 'not-decided'] as const;

/** Why a case may not go beyond what can be undone; people decide, or the sources agree again. */
export interface Question {
  readonly n: number;
  /** `{doubt}` or `{doubt}:{source}`: `cases/doubt.ts` has the words. */
  readonly reasons: readonly string[];
  /** Digest of the statements that it is about: an approval names it, so that it overrules what people saw and no more. */
  readonly about: string;
  readonly askedAt: number;
  /** How often approvers were told of it, after the first time. */
  readonly reminders?: number;
  readonly endedAt?: number;
  readonly endedBy?: (typeof ENDED_BY)[number];
}

const question: Schema<Question> = z.strictObject({
  n: whole,
  reasons: z.array(text),
  about: text,
  askedAt: whole,
  reminders: z.optional(whole),
  endedAt: z.optional(whole),
  endedBy: z.optional(z.enum(ENDED_BY)),
});

/** Items that two people accepted together, the linked case that proves them again, and what both had before them. */
export interface AcceptedItems {
  readonly items: readonly string[];
  readonly until: number;
  readonly linked: string;
  readonly about: string;
}

/** A source that says so, and the system of record behind it. */
export interface Voice {
  readonly source: string;
  readonly origin: string;
}

/** What was shut is looked at again, until no session that was alive at containment can be alive any more. */
export interface Rechecks {
  readonly until: number;
  /** When it is looked at next, and since when that is due: earlier, where a look did not see everything. None once all is over. */
  readonly next?: number;
  readonly dueSince?: number;
  readonly times: number;
  /** The last look; and the longest while between two of them, or between containment and the first. */
  readonly at?: number;
  readonly longestGap: number;
}

const rechecks: Schema<Rechecks> = z.strictObject({
  until: whole,
  next: z.optional(whole),
  dueSince: z.optional(whole),
  times: whole,
  at: z.optional(whole),
  longestGap: whole,
});

/** Of a give-back that opens one subject alone, because HR has taken the worker on again. */
export interface Readmission {
  /** Sort key of the row of the thing (`SHUT` in `worker.ts`). */
  readonly thing: string;
  /** Digest of what HR had said when two people decided: with the thing it makes the digest that their approvals name. */
  readonly said: string;
}

/** What every case has, whatever it is about. */
interface CaseBase {
  readonly caseId: string;
  readonly state: CaseState;
  readonly version: number;
  readonly attempt: number;
  readonly fence: number;
  /** When the execution is due. */
  readonly dueAt: number;
  readonly openedAt: number;
  readonly containedAt?: number;
  readonly plannedAt?: number;
  readonly taintedAt?: number;
  readonly deniedAt?: number;
  readonly provedAt?: number;
  readonly closedAt?: number;
  /** Every record that the case owes has its place in the tree. */
  readonly sealedAt?: number;
  /** By ring, the STANDBY that takes over; kept so that a replay prepares no other. */
  readonly successors?: Readonly<Record<string, string>>;
}

/** About a departure: that itself, its second rotation, or what gives it back. */
export interface DepartureCase extends CaseBase {
  readonly kind: 'departure';
  readonly workerId: string;
  readonly pseudonym: string;
  readonly act: Act;
  /** Which departure of the worker it is, from 1; a follow-up has that of the case that it follows. */
  readonly number: number;
  /** Epoch seconds: the earliest instant that counts. The case began then, or when HR told of it later. */
  readonly effectiveAt: number;
  /** The latest of the instants of one departure: what cannot be undone waits for it. */
  readonly finalAt: number;
  /** As of the beginning: a statement that comes later is asked about, and changes none of it. */
  readonly voices: readonly Voice[];
  readonly source: string;
  readonly corroboration: Corroboration;
  readonly questions: readonly Question[];
  /** The case whose second rotation this is, or of which it ends what was imported too late for it. */
  readonly followUpOf?: string;
  /** An import named custody that the case which this one follows was closed without. */
  readonly isLate?: boolean;
  /** The case that two people gave back, and the question at which they did: this one opens what that one shut. */
  readonly givesBack?: string;
  readonly givesBackAt?: number;
  /** It opens this alone, and the case that shut it stays as it is. */
  readonly readmits?: Readmission;
  /** The case whose accepted items this one proves again, and which of its acceptances they are of, from 1. */
  readonly provesAgain?: string;
  readonly provesAgainAt?: number;
  readonly hrEventAt: number;
  readonly acceptedAt: number;
  /** No import ever named the worker. */
  readonly isUnknown?: boolean;
  /** Of a case that contains somebody, from then on. */
  readonly rechecks?: Rechecks;
  /** Two people gave the departure back; nothing of it is done any more. */
  readonly givenBackAt?: number;
  readonly followUp?: string;
  /** The first first. */
  readonly accepted?: readonly AcceptedItems[];
  /** Cases that end what imports named after this one was closed, the first first. */
  readonly lateCases?: readonly string[];
}

/** The key that a responder ends, and why; the reason stands in evidence in clear. A type, as it stands in records. */
export type EndedKey = {
  readonly ring: string;
  readonly kid: string;
  readonly class: TaintClass;
  readonly reason: string;
};

/** About a key that a responder ends: no worker, nothing to contain, nothing to hold it. */
export interface TaintCase extends CaseBase {
  readonly kind: 'taint';
  readonly key: EndedKey;
}

export type CaseMeta = DepartureCase | TaintCase;

const base = {
  caseId: text,
  state: z.enum(CASE_STATES),
  version: whole,
  attempt: whole,
  fence: whole,
  dueAt: z.int(),
  openedAt: whole,
  containedAt: z.optional(whole),
  plannedAt: z.optional(whole),
  taintedAt: z.optional(whole),
  deniedAt: z.optional(whole),
  provedAt: z.optional(whole),
  closedAt: z.optional(whole),
  sealedAt: z.optional(whole),
  successors: z.optional(z.record(z.string(), text)),
};

const departureCase = z.strictObject({
  ...base,
  kind: z.literal('departure'),
  workerId: text,
  pseudonym: text,
  act: z.enum(ACTS),
  number: whole,
  effectiveAt: z.int(),
  finalAt: z.int(),
  voices: z.array(z.strictObject({ source: text, origin: text })),
  source: text,
  corroboration: z.enum(CORROBORATIONS),
  questions: z.array(question),
  followUpOf: z.optional(text),
  isLate: z.optional(flag),
  givesBack: z.optional(text),
  givesBackAt: z.optional(whole),
  readmits: z.optional(z.strictObject({ thing: text, said: text })),
  provesAgain: z.optional(text),
  provesAgainAt: z.optional(whole),
  hrEventAt: whole,
  acceptedAt: whole,
  isUnknown: z.optional(flag),
  rechecks: z.optional(rechecks),
  givenBackAt: z.optional(whole),
  followUp: z.optional(text),
  accepted: z.optional(z.array(z.strictObject({ items: z.array(text), until: whole, linked: text, about: text }))),
  lateCases: z.optional(z.array(text)),
});

const taintCase = z.strictObject({
  ...base,
  kind: z.literal('taint'),
  key: z.strictObject({ ring: text, kid: text, class: z.enum(TAINT_CLASSES), reason: text }),
});

export const CASE = entity({
  name: 'case',
  table: 'cases',
  key: (caseId: string) => ({ pk: casePartition(caseId), sk: 'META' }),
  owns: ({ pk, sk }) => pk.startsWith('CASE#') && sk === 'META',
  schema: shape<CaseMeta>(z.discriminatedUnion('kind', [departureCase, taintCase])),
});

/** A due marker; with the attempt that it looks after, once one was started. */
interface DueMarker {
  readonly caseId: string;
  readonly attempt?: number;
}

export const DUE_MARKER = entity({
  name: 'due marker of a case',
  table: 'cases',
  key: (dueAt: number, caseId: string) => ({ pk: 'DUE', sk: `${ordered(dueAt, 12)}#${caseId}` }),
  owns: ({ pk }) => pk === 'DUE',
  part: () => ({ pk: 'DUE' }),
  schema: shape<DueMarker>(z.strictObject({ caseId: text, attempt: z.optional(whole) })),
  fromKey: (key) => ({ key, dueAt: Number(key.sk.slice(0, key.sk.indexOf('#'))) }),
});

/** When the rechecker looks at this case next. */
export const RECHECK_MARKER = entity({
  name: 'recheck marker of a case',
  table: 'cases',
  key: (at: number, caseId: string) => ({ pk: 'RECHECK', sk: `${ordered(at, 12)}#${caseId}` }),
  owns: ({ pk }) => pk === 'RECHECK',
  part: () => ({ pk: 'RECHECK' }),
  schema: shape<{ readonly caseId: string; readonly dueSince: number }>(
    z.strictObject({ caseId: text, dueSince: whole }),
  ),
  fromKey: (key) => ({ key, at: Number(key.sk.slice(0, key.sk.indexOf('#'))) }),
});
