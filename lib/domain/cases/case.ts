/**
 * A case: one departure, as a fold over HR statements, and the transitions of its state.
 *
 *     OPEN ─► DUE ─► CONTAINING ─► CONTAINED ─► ACTING ─► PROVING ─► CLOSED
 *                                      └─► HELD ─┘
 *
 *     CASE#{id} | META                     state version attempt fence dates kind …
 *     CASE#{id} | STATEMENT#{effectiveAt}#{kind}
 *     CASE#{id} | ITEM#{nn}#{kind}          state = PLANNED | DONE | PROVED
 *     CASE#{id} | LIST, PLAN                state = FREEZING | FROZEN
 *     CASE#{id} | OUT#{fence}.{n}           record and event, for the outbox
 *     WORKER#{id} | OPEN                    caseId of the one open case
 *     WORKER#{id} | PSEUDONYM               random; the only name of the worker in evidence
 *     WORKER#{id} | RESCIND#{effectiveAt}   a rescind, which may arrive before the departure it takes back
 *     DUE | {dueAt}#{id}                    what the ticker looks for: a date, or when to look after an attempt
 *
 * Who can write this table can hold or hasten a case, and have people locked out; it holds no right to sign.
 */
import { createHmac } from 'node:crypto';
import { CurfewError } from '../base/errors';
import type { Statement } from '../intake/statement';
import { ordered, type Row, type RowKey } from '../store/table';

export const CASE_STATES = ['OPEN', 'DUE', 'CONTAINING', 'CONTAINED', 'HELD', 'ACTING', 'PROVING', 'CLOSED'] as const;
export type CaseState = (typeof CASE_STATES)[number];

/** Weakest first. A transfer ends custody and nothing else: the worker stays, and so does the access of the person. */
export const DEPARTURE_KINDS = ['transfer', 'contract_end', 'termination'] as const;
export type DepartureKind = (typeof DEPARTURE_KINDS)[number];
export type Departure = Statement & { readonly kind: DepartureKind };

/** What all departure statements of a case come to. A join: order and repetition of the statements change nothing. */
export type CaseFold = {
  readonly kind: DepartureKind;
  /** Every effective instant that HR named, in order. */
  readonly dates: readonly number[];
  readonly rescinded: boolean;
};

export type CaseMeta = CaseFold & {
  readonly caseId: string;
  readonly workerId: string;
  readonly pseudonym: string;
  readonly state: CaseState;
  readonly version: number;
  readonly attempt: number;
  readonly fence: number;
  /** Epoch seconds: the earliest date HR named. Later ones are doubt, and doubt does not keep access alive. */
  readonly dueAt: number;
  readonly source: string;
  readonly corroboration: 'confirmed' | 'signed-fact';
  /** The case whose second rotation this is. */
  readonly followUpOf?: string;
  readonly hrEventAt: number;
  readonly acceptedAt: number;
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
  readonly followUp?: string;
};

export const caseKey = (caseId: string, sk: string): RowKey => ({ pk: `CASE#${caseId}`, sk });
export const metaKey = (caseId: string): RowKey => caseKey(caseId, 'META');
export const workerKey = (workerId: string, sk: 'OPEN' | 'PSEUDONYM' | `RESCIND#${string}`): RowKey => ({
  pk: `WORKER#${workerId}`,
  sk,
});
export const rescindKey = (workerId: string, effectiveAt: number): RowKey =>
  workerKey(workerId, `RESCIND#${ordered(effectiveAt, 12)}`);
export const DUE_PARTITION = 'DUE';
export const dueKey = (dueAt: number, caseId: string): RowKey => ({
  pk: DUE_PARTITION,
  sk: `${ordered(dueAt, 12)}#${caseId}`,
});
export const itemPrefix = (nn: string) => `ITEM#${nn}#`;

/**
 * From the worker, the effective instant and what the case was opened as, never from the delivery: however often HR says
 * it, it is one case. Keyed with the pepper, because ids stand in records: worker ids are few enough to try them all.
 */
export function caseIdOf(pepper: string, { instance, workerId, effectiveAt, kind }: CaseName): string {
  const name = `case\0${instance}\0${workerId}\0${effectiveAt}\0${kind}`;
  return `c-${createHmac('sha256', pepper).update(name).digest('base64url').slice(0, 22)}`;
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
  return (DEPARTURE_KINDS as readonly string[]).includes(statement.kind);
}

export function foldDeparture(fold: CaseFold | undefined, statement: Departure, rescinded: boolean): CaseFold {
  const kinds = [fold?.kind ?? statement.kind, statement.kind].sort((a, b) => strength(b) - strength(a)) as [
    DepartureKind,
    DepartureKind,
  ];
  const dates = [...new Set([...(fold?.dates ?? []), statement.effectiveAt])].sort((a, b) => a - b);
  return { kind: kinds[0], dates, rescinded: rescinded || (fold?.rescinded ?? false) };
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
export function custodyOnly(meta: Pick<CaseMeta, 'kind' | 'followUpOf'>): boolean {
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

export function parseMeta(item: Row | undefined): CaseMeta | undefined {
  if (item === undefined) return undefined;
  const { pk: _pk, sk: _sk, v: _v, ...meta } = item;
  return meta as unknown as CaseMeta;
}

/** Refuses a step of an execution that another attempt has taken over from, and of a case that is not that far. */
export function checkAttempt(
  meta: CaseMeta | undefined,
  caseId: string,
  attempt: number,
  states: readonly CaseState[],
): CaseMeta {
  if (meta === undefined) throw new CurfewError('ERR_NOT_FOUND', `there is no case ${caseId}`, { got: caseId });
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
