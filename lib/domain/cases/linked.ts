/**
 * Cases that another one leaves. Its second rotation, and what was imported too late for it, contain nobody: they rest on the
 * departure of that one, and on what is decided about it.
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
  return bornOf(meta, { caseId, dueAt: sessionsOverAt(meta, settings), followUpOf: meta.caseId, openedAt: now });
}

/** No session that was alive at containment is, from then on. */
export function sessionsOverAt({ caseId, containedAt, state }: DepartureCase, { sessionSecondsMax }: Sessions): number {
  if (containedAt !== undefined) return containedAt + sessionSecondsMax;
  throw new CurfewError(
    'ERR_CASE_STATE',
    `case ${caseId} is not contained, so nobody knows when its sessions are over`,
    {
      got: state,
      allowed: 'contained',
      fix: `see \`curfew case show ${caseId}\``,
    },
  );
}

/** Due at once: an import named custody that the closed case does not know. */
export function lateCaseOf(meta: DepartureCase, now: number, pepper: string): DepartureCase {
  const n = (meta.lateCases ?? []).length + 1;
  const caseId = linkedIdOf(pepper, meta.caseId, `late ${n}`);
  return bornOf(meta, { caseId, dueAt: now, followUpOf: meta.caseId, isLate: true, openedAt: now });
}

/**
 * A case that another one leaves, as it is born: of the same worker, and of what HR had said of that departure. `own`: what
 * makes it another case; it is of the day on which it is due, unless that says otherwise.
 */
export function bornOf(
  meta: DepartureCase,
  own: Pick<DepartureCase, 'caseId' | 'dueAt' | 'openedAt'> & Partial<DepartureCase>,
): DepartureCase {
  const { workerId, pseudonym, act, number, voices, source, corroboration, hrEventAt, acceptedAt } = meta;
  return {
    kind: 'departure',
    workerId,
    pseudonym,
    state: 'OPEN',
    version: 1,
    attempt: 0,
    fence: 1,
    act,
    number,
    effectiveAt: own.dueAt,
    finalAt: own.dueAt,
    voices,
    source,
    corroboration,
    questions: [],
    hrEventAt,
    acceptedAt,
    ...own,
  };
}
