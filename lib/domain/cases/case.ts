/**
 * A case: one departure, as a fold over HR statements, and the transitions of its state.
 *
 *     OPEN ─► DUE ─► CONTAINING ─► CONTAINED ─► ACTING ─► PROVING ─► CLOSED
 *                                      └─► HELD ─┘
 *
 * Who can write this table can hold or hasten a case, and have people locked out; it holds no right to sign.
 */
import { createHmac } from 'node:crypto';
import { CurfewError } from '../base/errors';
import type { Statement } from '../intake/statement';
import { type CaseFold, type CaseMeta, type CaseState, DEPARTURE_KINDS, type DepartureKind } from '../store/case';

export {
  type CaseFold,
  type CaseMeta,
  type CaseState,
  DEPARTURE_KINDS,
  type DepartureKind,
} from '../store/case';
export type Departure = Statement & { readonly kind: DepartureKind };

/**
 * From the worker, the effective instant and what the case was opened as, never from the delivery: however often HR says
 * it, it is one case. Keyed with the pepper, because ids stand in records: worker ids are few enough to try them all.
 */
export function caseIdOf(pepper: string, { instance, workerId, effectiveAt, kind }: CaseName): string {
  const name = `case\0${instance}\0${workerId}\0${effectiveAt}\0${kind}`;
  return `c-${createHmac('sha256', pepper).update(name).digest('base64url').slice(0, 22)}`;
}

/** What `caseIdOf` makes, or shorter. */
const CASE_ID = /^c-[A-Za-z0-9_-]{1,22}$/;

/** From outside of TypeScript: whoever may invoke a Lambda may name any case, and records are written under its name. */
export function parseCaseId(given: unknown): string {
  if (typeof given === 'string' && CASE_ID.test(given)) return given;
  throw new CurfewError('ERR_INPUT_INVALID', 'the case id is not one that Curfew makes', {
    got: typeof given === 'string' ? given.slice(0, 80) : typeof given,
    allowed: String(CASE_ID),
    fix: 'take it from `curfew case due`, or from the record case.opened',
  });
}

export interface CaseName {
  readonly instance: string;
  readonly workerId: string;
  readonly effectiveAt: number;
  /** A follow-up is nobody's statement: one of the same instant must find an id of its own. */
  readonly kind: DepartureKind | 'follow-up';
}

/**
 * Which of the cases opened for one worker and instant a statement belongs to: one that still waits, or one that did no less
 * than the statement asks for. A transfer must not swallow a termination of the same instant.
 */
export function caseFor(cases: readonly CaseMeta[], statement: Departure): CaseMeta | undefined {
  return cases.find((meta) => joins(meta, statement));
}

export function executionName({ caseId, attempt }: Pick<CaseMeta, 'caseId' | 'attempt'>): string {
  return `${caseId}.${attempt}`;
}

export function isDeparture(statement: Statement): statement is Departure {
  return DEPARTURE_KINDS.some((kind) => kind === statement.kind);
}

export function foldDeparture(fold: CaseFold | undefined, statement: Departure, rescinded: boolean): CaseFold {
  const kind = fold === undefined || strength(statement.kind) > strength(fold.kind) ? statement.kind : fold.kind;
  const dates = [...new Set([...(fold?.dates ?? []), statement.effectiveAt])].sort((a, b) => a - b);
  return { kind, dates, rescinded: rescinded || (fold?.rescinded ?? false) };
}

/**
 * Does a statement belong to this case? One that has begun covers what its frozen list covers, so a transfer that
 * turns into a termination is a case of its own; a follow-up waits for sessions to expire and must not be hastened.
 */
export function joins(meta: CaseMeta, statement: Departure): boolean {
  if (meta.followUpOf !== undefined) return false;
  const begun = meta.state !== 'OPEN' && meta.state !== 'DUE';
  return !begun || strength(statement.kind) <= strength(meta.kind);
}

/** Custody ends, access stays: no containment, no console login to remove. */
export function exposureOnly(meta: Pick<CaseMeta, 'kind' | 'followUpOf'>): boolean {
  return meta.kind === 'transfer' || meta.followUpOf !== undefined;
}

/** Why the case may not go beyond what can be undone; undefined where nothing speaks against it. */
export function doubt(meta: CaseFold & Pick<CaseMeta, 'corroboration'>): string | undefined {
  if (meta.rescinded) return 'HR took the departure back: people decide, and nothing done is undone by itself';
  if (meta.dates.length > 1) return 'HR named more than one date: an early or late departure needs approval';
  if (meta.corroboration === 'confirmed')
    return 'the statement was not read back from the HR system: no adapter reads this source';
  return undefined;
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

function strength(kind: DepartureKind): number {
  return DEPARTURE_KINDS.indexOf(kind);
}
