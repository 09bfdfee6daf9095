/**
 * A case: one act on one departure, a snapshot of what HR had said when it began; or the end of one key, which a responder
 * asked for. And the transitions of its state.
 *
 *     OPEN ─► DUE ─► CONTAINING ─► CONTAINED ─► ACTING ─► PROVING ─► CLOSED
 *                                      └── HELD beside any of these: a question is open ──┘
 *
 * That of a key begins at CONTAINED: there is nobody to contain, and nothing holds it.
 *
 * Who can write this table can hold or hasten a case, and have people locked out; it holds no right to sign.
 */
import { createHash, createHmac } from 'node:crypto';
import { CurfewError } from '../base/errors';
import type { CaseMeta, CaseState, DepartureCase, EndedKey, Question, TaintCase } from '../store/case';

export type { CaseMeta, CaseState, DepartureCase, Question } from '../store/case';

export interface CaseName {
  readonly instance: string;
  readonly workerId: string;
  /** Which departure of the worker, from 1. */
  readonly number: number;
  readonly kind: 'departure' | 'follow-up';
}

/**
 * From the worker and the number of the departure, never from a date or a delivery: dates move, and deliveries repeat. Keyed
 * with the pepper, because ids stand in records: worker ids are few enough to try them all.
 */
export function caseIdOf(pepper: string, { instance, workerId, number, kind }: CaseName): string {
  const name = `case\0${instance}\0${kind}\0${number}\0${workerId}`;
  return `c-${createHmac('sha256', pepper).update(name).digest('base64url').slice(0, 22)}`;
}

/** What `caseIdOf` makes, or shorter. */
const CASE_ID = /^c-[A-Za-z0-9_-]{1,22}$/;

/** A give-back is of one case; the case may be given back once for each of its questions. */
export function giveBackIdOf(
  pepper: string,
  { caseId, question }: { readonly caseId: string; readonly question: number },
): string {
  const name = `give-back\0${caseId}\0${question}`;
  return `c-${createHmac('sha256', pepper).update(name).digest('base64url').slice(0, 22)}`;
}

/** One for each thing and each departure of the worker: after another one the same subject may be readmitted anew. */
export function readmissionIdOf(
  pepper: string,
  of: { readonly caseId: string; readonly question: number; readonly thing: string; readonly departures: number },
): string {
  const name = `readmit\0${of.caseId}\0${of.question}\0${of.departures}\0${of.thing}`;
  return `c-${createHmac('sha256', pepper).update(name).digest('base64url').slice(0, 22)}`;
}

/**
 * What another case leaves: the items that it accepted the nth time, what was imported for the nth time after it was closed, or
 * the second rotation of one that proves accepted items again.
 */
export function linkedIdOf(
  pepper: string,
  caseId: string,
  what: `accepted ${number}` | `late ${number}` | 'follow-up',
): string {
  const name = `linked\0${caseId}\0${what}`;
  return `c-${createHmac('sha256', pepper).update(name).digest('base64url').slice(0, 22)}`;
}

/**
 * Of the key and the class: who asks again asks for the same case. No pepper, because a kid is public and names nobody; the
 * CLI can say which case it is before anything answers.
 */
export function taintIdOf(instance: string, { ring, kid, class: taintClass }: Omit<EndedKey, 'reason'>): string {
  const name = `taint\0${instance}\0${ring}\0${kid}\0${taintClass}`;
  return `c-${createHash('sha256').update(name).digest('base64url').slice(0, 22)}`;
}

/** Of a step that only a departure has; `ERR_CASE_STATE` where the case is the end of a key. */
export function departureOnly(meta: CaseMeta): DepartureCase {
  if (meta.kind === 'departure') return meta;
  throw new CurfewError('ERR_CASE_STATE', `case ${meta.caseId} ends a key, and is about no departure`, {
    got: meta.kind,
    allowed: 'departure',
    fix: `see \`curfew case show ${meta.caseId}\``,
  });
}

/** From outside of TypeScript: whoever may invoke a Lambda may name any case, and records are written under its name. */
export function parseCaseId(given: unknown): string {
  if (typeof given === 'string' && CASE_ID.test(given)) return given;
  throw new CurfewError('ERR_INPUT_INVALID', 'the case id is not one that Curfew makes', {
    got: typeof given === 'string' ? given.slice(0, 80) : typeof given,
    allowed: String(CASE_ID),
    fix: 'take it from `curfew case list`, or from the record case.opened',
  });
}

export function executionName({ caseId, attempt }: Pick<CaseMeta, 'caseId' | 'attempt'>): string {
  return `${caseId}.${attempt}`;
}

/** Custody ends, access stays: no containment, no console login to remove. */
export function exposureOnly(meta: Pick<DepartureCase, 'act' | 'followUpOf' | 'givesBack'>): boolean {
  return meta.act === 'custody' || meta.followUpOf !== undefined || meta.givesBack !== undefined;
}

/** The question that people have not answered and time has not settled; a case has one at most. */
export function openQuestion(of: Pick<DepartureCase, 'questions'> | TaintCase): Question | undefined {
  return 'questions' in of ? of.questions.find(({ endedAt }) => endedAt === undefined) : undefined;
}

/** A source has withdrawn the departure, or named a later day, and nobody has decided about it. */
export function isTakenBack(meta: DepartureCase): boolean {
  const reasons = openQuestion(meta)?.reasons ?? [];
  return reasons.some((reason) => reason.startsWith('withdrawn:') || reason.startsWith('moved:'));
}

/** Nothing was imported about the worker: they are not contained, and nobody can say of what. */
export function isWaiting(meta: CaseMeta): boolean {
  return meta.kind === 'departure' && meta.isUnknown === true && meta.state !== 'CLOSED';
}

/** Two people gave the departure back. */
export function isGivenBack(meta: CaseMeta): boolean {
  return meta.kind === 'departure' && meta.givenBackAt !== undefined;
}

/** It was HELD, nobody could decide about it for 30 days, and it closed. */
export function isUndecided(meta: CaseMeta): boolean {
  return meta.kind === 'departure' && meta.questions.some(({ endedBy }) => endedBy === 'not-decided');
}

/** How many items two people accepted: they are open, and no proof of anything. */
function acceptedItems(meta: CaseMeta): number {
  const accepted = meta.kind === 'departure' ? (meta.accepted ?? []) : [];
  return accepted.reduce((sum, { items }) => sum + items.length, 0);
}

/** Why nothing may begin that cannot be undone; with the instant that ends it, where an instant does. */
interface Stop {
  readonly why: string;
  readonly until?: number;
}

const IN_WORDS: Readonly<Record<string, string>> = {
  unconfirmed: 'one source alone says so, and it has to be confirmed by a second one',
  withdrawn: 'the source took the departure back',
  moved: 'after the departure had begun, the source named a later date',
  'dates-apart': 'the sources name dates that are more than 36 hours apart',
  contradiction: 'what one source says contradicts itself',
  'long-ago': 'the departure was more than 31 days ago when HR told of it',
  'found-open': 'something that was shut was found open three times, and is shut again: find out who opens it',
};

/** What a person reads of the reasons of a question: `the source took the departure back (hr)`. */
export function inWords(reasons: readonly string[]): string {
  return reasons
    .map((reason) => {
      const [doubt = '', source] = reason.split(':');
      return `${IN_WORDS[doubt] ?? doubt}${source === undefined ? '' : ` (${source})`}`;
    })
    .join('; ');
}

const WAITS =
  'when it last looked, no import named this worker, or HR had taken them on again: import what they have, or empty lists, with `curfew people import FILE`; or give the case back';

/** Asked in the transaction that claims each step, so that no doubt is too late by a moment. */
export function stopOf(meta: CaseMeta, now: number): Stop | undefined {
  if (meta.kind === 'taint') return undefined;
  if (meta.givenBackAt !== undefined) return { why: 'people gave the departure back' };
  const question = openQuestion(meta);
  if (question !== undefined) return { why: `question ${question.n}: ${inWords(question.reasons)}` };
  if (isWaiting(meta)) return { why: WAITS };
  if (meta.act === 'suspend' && meta.givesBack === undefined)
    return { why: 'a suspension contains, and does nothing else' };
  if (meta.finalAt > now)
    return {
      why: 'the latest instant of this departure has not come: what cannot be undone waits',
      until: meta.finalAt,
    };
  return undefined;
}

/** What people read of a case: HELD is not a state of its own, because rings that were tainted go on to DENIED beside it. */
export function shownState(meta: CaseMeta): CaseState | 'HELD' | 'WAITING' | 'GIVEN BACK' | 'CLOSED WITH EXCEPTIONS' {
  if (isWaiting(meta)) return 'WAITING';
  if (isGivenBack(meta)) return 'GIVEN BACK';
  const isHeld = openQuestion(meta) !== undefined && meta.containedAt !== undefined && meta.state !== 'CLOSED';
  if (meta.state === 'CLOSED' && (isUndecided(meta) || acceptedItems(meta) > 0)) return 'CLOSED WITH EXCEPTIONS';
  return isHeld ? 'HELD' : meta.state;
}

/** Refuses a step of an execution that another attempt has taken over from, and of a case that is not that far. */
export function checkAttempt(
  meta: CaseMeta | undefined,
  caseId: string,
  attempt: number,
  states: readonly CaseState[],
): CaseMeta {
  if (meta === undefined) throw new CurfewError('ERR_NOT_FOUND', `no case ${caseId}`, { got: caseId });
  if (meta.attempt !== attempt)
    throw new CurfewError('ERR_CASE_STATE', `case ${caseId} is at attempt ${meta.attempt}`, {
      got: attempt,
      allowed: meta.attempt,
    });
  if (!states.includes(meta.state))
    throw new CurfewError('ERR_CASE_STATE', `case ${caseId} is ${meta.state}`, { got: meta.state, allowed: states });
  return meta;
}
