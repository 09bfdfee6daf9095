/** The questions of a case: raised by what HR says, ended by people, by sources that agree again, or by a give-back. */
import { canonicalJson, H } from '../base/encoding';
import type { DepartureCase, Question } from '../store/case';
import type { Said } from '../store/worker';
import { inWords, openQuestion } from './case';
import { type Begun, reasonsAgainst } from './departure';

/** After an hour and after four; then every day, for as long as nobody answers. */
const REMINDED_AFTER_SECONDS = [3600, 4 * 3600] as const;
const DAY_SECONDS = 86_400;

/** How often approvers should have been told of an open question by now, after the first time. */
export function remindersDue({ askedAt }: Pick<Question, 'askedAt'>, now: number): number {
  const waited = now - askedAt;
  const [, last] = REMINDED_AFTER_SECONDS;
  if (waited < last) return REMINDED_AFTER_SECONDS.filter((after) => waited >= after).length;
  return REMINDED_AFTER_SECONDS.length + Math.floor((waited - last) / DAY_SECONDS);
}

/** What approvers are told: which case, why, and for which time; no name, and no worker. */
export function askedEvent(caseId: string, { n, reasons }: Question, count: number) {
  return { detailType: 'CaseAsked', detail: { id: caseId, question: n, reasons: inWords(reasons), count } } as const;
}

/** Names one statement: its source and what it says, not the delivery that brought it. */
export function digestOf({ source, sourceEventId: _id, ...said }: Said): string {
  const { receivedAt: _at, bodySha256: _body, corroboration: _worth, origin: _origin, ...content } = said;
  return H(canonicalJson({ source, ...content }));
}

/** What people look at when they decide: every statement about the worker, as of now. */
export function digestOfAll(said: readonly Said[]): string {
  return H(canonicalJson(said.map(digestOf).sort()));
}

/** Found open so often, a thing is shut, and the case is held until people have seen who opens it. */
export const FOUND_OPEN_MAX = 3;
/** The one reason that is found in the account: no source can settle it. */
export const FOUND_OPEN = 'found-open';

/** The questions after a thing was found open for the `n`th time: one more where that is too often, and nobody was asked yet. */
export function questionsOfFinding(
  { questions }: Pick<DepartureCase, 'questions'>,
  n: number,
  said: readonly Said[],
  now: number,
): readonly Question[] {
  if (n < FOUND_OPEN_MAX || questions.some(({ reasons }) => reasons.includes(FOUND_OPEN))) return questions;
  return askedAnew(questions, [...(openQuestion({ questions })?.reasons ?? []), FOUND_OPEN], said, now);
}

/** Reasons that people have let pass with "go on", or that nobody could decide about: they are asked no second time. */
function overruledIn(questions: readonly Question[]): readonly string[] {
  return questions.flatMap(({ endedBy, reasons }) => (endedBy === 'go-on' || endedBy === 'not-decided' ? reasons : []));
}

/**
 * The questions as they are after `said`; the same list where nothing changed. A new reason makes a new question, one that is
 * repeated does not, and where no reason is left the sources agree.
 */
export function questionsAfter(
  meta: Begun & Pick<DepartureCase, 'questions'>,
  said: readonly Said[],
  begun: readonly Begun[],
  now: number,
): readonly Question[] {
  const { questions } = meta;
  const open = openQuestion(meta);
  const found = open?.reasons.filter((reason) => reason === FOUND_OPEN) ?? [];
  const reasons = [...reasonsAgainst(meta, said, begun, overruledIn(questions)), ...found];
  if (open === undefined && reasons.length === 0) return questions;
  if (open !== undefined && reasons.length > 0 && reasons.every((reason) => open.reasons.includes(reason)))
    return questions;
  return askedAnew(questions, reasons, said, now);
}

/** The question that is open ends, and goes on in the new one as far as its reasons stand. */
function askedAnew(
  questions: readonly Question[],
  reasons: readonly string[],
  said: readonly Said[],
  now: number,
): readonly Question[] {
  const open = openQuestion({ questions });
  const settled = questions.map((one) => (one === open ? { ...one, endedAt: now, endedBy: 'sources' as const } : one));
  if (reasons.length === 0) return settled;
  return [...settled, { n: questions.length + 1, reasons, about: digestOfAll(said), askedAt: now }];
}
