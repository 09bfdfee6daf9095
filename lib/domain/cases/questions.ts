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
  const reasons = reasonsAgainst(meta, said, begun, overruledIn(questions));
  if (open === undefined && reasons.length === 0) return questions;
  if (open !== undefined && reasons.length > 0 && reasons.every((reason) => open.reasons.includes(reason)))
    return questions;
  const settled = questions.map((one) => (one === open ? { ...one, endedAt: now, endedBy: 'sources' as const } : one));
  if (reasons.length === 0) return settled;
  return [...settled, { n: questions.length + 1, reasons, about: digestOfAll(said), askedAt: now }];
}
