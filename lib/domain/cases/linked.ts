/**
 * Cases that follow another one, and contain nobody: its second rotation, and what was imported too late for it. They rest on
 * the departure of that one, and on what is decided about it.
 */
import { CurfewError } from '../base/errors';
import { caseIdOf, type DepartureCase, linkedIdOf } from './case';

interface Sessions {
  readonly sessionSecondsMax: number;
}

/** Due when every session alive at containment has expired. */
export function secondRotationOf(
  meta: DepartureCase,
  now: number,
  pepper: string,
  { instance, settings }: { readonly instance: string; readonly settings: Sessions },
): DepartureCase {
  const { workerId, number } = meta;
  // A departure has one second rotation; what is proved again later may have another.
  const caseId =
    meta.provesAgain === undefined
      ? caseIdOf(pepper, { instance, workerId, number, kind: 'follow-up' })
      : linkedIdOf(pepper, meta.caseId, 'follow-up');
  return linked(meta, { caseId, dueAt: sessionsOverAt(meta, settings) }, now);
}

/** No session that was alive at containment is, from then on. */
export function sessionsOverAt({ caseId, containedAt, state }: DepartureCase, { sessionSecondsMax }: Sessions): number {
  if (containedAt !== undefined) return containedAt + sessionSecondsMax;
  throw new CurfewError('ERR_CASE_STATE', `case ${caseId} is not contained`, { got: state });
}

/** Due at once: an import named custody that the closed case does not know. */
export function lateCaseOf(meta: DepartureCase, now: number, pepper: string): DepartureCase {
  const n = (meta.lateCases ?? []).length + 1;
  return { ...linked(meta, { caseId: linkedIdOf(pepper, meta.caseId, `late ${n}`), dueAt: now }, now), isLate: true };
}

function linked(
  meta: DepartureCase,
  { caseId, dueAt }: Pick<DepartureCase, 'caseId' | 'dueAt'>,
  now: number,
): DepartureCase {
  const { workerId, pseudonym, act, number, voices, source, corroboration, hrEventAt, acceptedAt } = meta;
  return {
    kind: 'departure',
    caseId,
    workerId,
    pseudonym,
    state: 'OPEN',
    version: 1,
    attempt: 0,
    fence: 1,
    act,
    number,
    effectiveAt: dueAt,
    finalAt: dueAt,
    dueAt,
    voices,
    source,
    corroboration,
    questions: [],
    followUpOf: meta.caseId,
    hrEventAt,
    acceptedAt,
    openedAt: now,
  };
}
