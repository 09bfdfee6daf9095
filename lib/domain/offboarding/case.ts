/**
 * A case: one departure, as a fold over HR facts, and the transitions of its state.
 *
 *     OPEN ─► DUE ─► CONTAINING ─► CONTAINED ─► ACTING ─► PROVING ─► CLOSED
 *                                      └─► HELD ─┘
 *
 *     CASE#{id} | META                     state version attempt fence dates kind …
 *     CASE#{id} | FACT#{effectiveAt}#{kind}
 *     CASE#{id} | ITEM#{nn}#{kind}          state = PLANNED | DONE | PROVED
 *     CASE#{id} | LIST, PLAN                frozen
 *     CASE#{id} | OUT#{fence}.{n}           record and event, for the outbox
 *     WORKER#{id} | OPEN                    caseId of the one open case
 *     WORKER#{id} | PSEUDONYM               random; the only name of the worker in evidence
 *     WORKER#{id} | RESCIND#{effectiveAt}   a rescind, which may arrive before the departure it takes back
 *     DUE | {dueAt}#{id}                    what the ticker looks for; gone once the execution has been started
 *
 * Who can write this table can hold or hasten a case, and have people locked out; it holds no right to sign.
 */
import { H } from '../encoding';
import { CurfewError } from '../errors';
import type { EvidenceRecord } from '../evidence/record';
import { ITEM_ABSENT, type Item, type Key, ordered, type Test, type Value, type Write } from '../table';
import type { LeaverEvent } from './leaver-event';

export const CASE_STATES = ['OPEN', 'DUE', 'CONTAINING', 'CONTAINED', 'HELD', 'ACTING', 'PROVING', 'CLOSED'] as const;
export type CaseState = (typeof CASE_STATES)[number];

/** Weakest first. A transfer ends custody and nothing else: the worker stays, and so does the access of the person. */
export const DEPARTURE_KINDS = ['transfer', 'contract_end', 'termination'] as const;
export type DepartureKind = (typeof DEPARTURE_KINDS)[number];
export type Departure = LeaverEvent & { readonly kind: DepartureKind };

/** What all departure facts of a case come to. A join: order and repetition of the facts change nothing. */
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
  readonly corroboration: 'read-back' | 'signed-fact';
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
  /** By ring, the STANDBY that takes over; kept so that a replay prepares no other. */
  readonly successors?: Readonly<Record<string, string>>;
  readonly followUp?: string;
};

export type CaseWrite = Write<'cases:put' | 'cases:update' | 'cases:check' | 'cases:delete'>;
type PlainWrite = Write<'cases:put' | 'cases:update'>;

export const caseKey = (caseId: string, sk: string): Key => ({ pk: `CASE#${caseId}`, sk });
export const metaKey = (caseId: string): Key => caseKey(caseId, 'META');
export const workerKey = (workerId: string, sk: 'OPEN' | 'PSEUDONYM' | `RESCIND#${string}`): Key => ({
  pk: `WORKER#${workerId}`,
  sk,
});
export const rescindKey = (workerId: string, effectiveAt: number): Key =>
  workerKey(workerId, `RESCIND#${ordered(effectiveAt, 12)}`);
export const DUE_PARTITION = 'DUE';
export const dueKey = (dueAt: number, caseId: string): Key => ({
  pk: DUE_PARTITION,
  sk: `${ordered(dueAt, 12)}#${caseId}`,
});
export const itemPrefix = (nn: string) => `ITEM#${nn}#`;

/** From the worker and the effective instant, never from the delivery: however often HR says it, it is one case. */
export function caseIdOf(instance: string, workerId: string, effectiveAt: number): string {
  return `c-${H(`${instance}\0${workerId}\0${effectiveAt}`).slice(0, 22)}`;
}

export function executionName({ caseId, attempt }: Pick<CaseMeta, 'caseId' | 'attempt'>): string {
  return `${caseId}.${attempt}`;
}

export function isDeparture(fact: LeaverEvent): fact is Departure {
  return (DEPARTURE_KINDS as readonly string[]).includes(fact.kind);
}

export function foldDeparture(fold: CaseFold | undefined, fact: Departure, rescinded: boolean): CaseFold {
  const kinds = [fold?.kind ?? fact.kind, fact.kind].sort((a, b) => strength(b) - strength(a)) as [
    DepartureKind,
    DepartureKind,
  ];
  const dates = [...new Set([...(fold?.dates ?? []), fact.effectiveAt])].sort((a, b) => a - b);
  return { kind: kinds[0], dates, rescinded: rescinded || (fold?.rescinded ?? false) };
}

/**
 * Does a fact belong to this open case? One that has begun covers what its frozen list covers, so a transfer that
 * turns into a termination is a case of its own; a follow-up waits for sessions to expire and must not be hastened.
 */
export function joins(meta: CaseMeta, fact: Departure): boolean {
  if (meta.followUpOf !== undefined) return false;
  const begun = meta.state !== 'OPEN' && meta.state !== 'DUE';
  return !begun || strength(fact.kind) <= strength(meta.kind);
}

/** Custody ends, access stays: no containment, no console login to remove. */
export function custodyOnly(meta: Pick<CaseMeta, 'kind' | 'followUpOf'>): boolean {
  return meta.kind === 'transfer' || meta.followUpOf !== undefined;
}

/** Why the case may not go beyond what can be undone; undefined where nothing speaks against it. */
export function doubt(meta: CaseFold & Pick<CaseMeta, 'corroboration'>): string | undefined {
  if (meta.rescinded) return 'HR took the departure back: people decide, and nothing done is undone by itself';
  if (meta.dates.length > 1) return 'HR named more than one date: an early or late departure needs approval';
  if (meta.corroboration === 'read-back')
    return 'the fact was not read back from the HR system: no adapter reads this source';
  return undefined;
}

/** One record, with the event that goes with it; both leave with the transaction that made them true. */
export interface Outgoing {
  readonly record: EvidenceRecord;
  readonly event?: {
    readonly detailType: string;
    readonly detail: { readonly id: string } & Readonly<Record<string, string | number>>;
  };
}

/** Opens a case, or with a fact refuses as `ERR_CONDITION_FAILED` what another delivery has opened meanwhile. */
export function openCase(
  meta: CaseMeta,
  fact: Departure,
  supersedes: string | undefined,
  opened: Outgoing,
): CaseWrite[] {
  const open: Test =
    supersedes === undefined
      ? { attribute: 'caseId', is: 'absent' }
      : { attribute: 'caseId', is: '=', value: supersedes };
  return [
    ...bornCase(meta, [opened]),
    {
      kind: 'update',
      table: 'cases',
      key: workerKey(meta.workerId, 'OPEN'),
      set: { v: 1, caseId: meta.caseId },
      if: [open],
    },
    factWrite(meta.caseId, fact),
    rescindUnchanged(fact, meta.rescinded),
  ];
}

/** A case and its due marker; used where one is opened by HR and where one follows another. */
export function bornCase(meta: CaseMeta, outgoing: readonly Outgoing[]): PlainWrite[] {
  return [
    { kind: 'put', table: 'cases', item: { ...metaKey(meta.caseId), v: 1, ...meta }, if: ITEM_ABSENT },
    { kind: 'put', table: 'cases', item: { ...dueKey(meta.dueAt, meta.caseId), v: 1, caseId: meta.caseId } },
    ...outWrites(meta, outgoing),
  ];
}

/** The writes of one more departure fact; none where it says nothing new. */
export function addDeparture(meta: CaseMeta, fact: Departure, rescinded: boolean, now: number): CaseWrite[] {
  const fold = foldDeparture(meta, fact, rescinded);
  const dueAt = fold.dates[0] as number;
  if (fold.kind === meta.kind && fold.rescinded === meta.rescinded && fold.dates.length === meta.dates.length)
    return [];

  const waits = meta.state === 'OPEN';
  const moved: CaseWrite[] =
    waits && dueAt !== meta.dueAt
      ? [
          { kind: 'delete', table: 'cases', key: dueKey(meta.dueAt, meta.caseId) },
          { kind: 'put', table: 'cases', item: { ...dueKey(dueAt, meta.caseId), v: 1, caseId: meta.caseId } },
        ]
      : [];
  return [
    ...transition(meta, {
      ...fold,
      dueAt: waits ? dueAt : meta.dueAt,
      state: waits && dueAt <= now ? 'DUE' : meta.state,
    }),
    ...moved,
    factWrite(meta.caseId, fact),
    rescindUnchanged(fact, rescinded),
  ];
}

/**
 * A rescind is kept under the departure it names, and marks the case that has that departure, if one does. Without
 * one it waits; `unaffected` are the cases that were looked at, and that must still not have that departure.
 */
export function rescind(
  workerId: string,
  effectiveAt: number,
  target: CaseMeta | undefined,
  unaffected: { readonly caseId: string; readonly open?: CaseMeta },
): CaseWrite[] {
  const kept: CaseWrite = { kind: 'put', table: 'cases', item: { ...rescindKey(workerId, effectiveAt), v: 1 } };
  if (target !== undefined)
    return target.rescinded || target.state === 'CLOSED' ? [] : [kept, ...transition(target, { rescinded: true })];

  const { caseId, open } = unaffected;
  const checks: CaseWrite[] = [{ kind: 'check', table: 'cases', key: metaKey(caseId), if: ITEM_ABSENT }];
  if (open)
    checks.push({
      kind: 'check',
      table: 'cases',
      key: metaKey(open.caseId),
      if: [{ attribute: 'fence', is: '=', value: open.fence }],
    });
  return [kept, ...checks];
}

/** Under the fence the writer read: whoever is second reads again and decides again. */
export function transition(meta: CaseMeta, set: Partial<CaseMeta>, outgoing: readonly Outgoing[] = []): PlainWrite[] {
  const next = { ...meta, fence: meta.fence + 1, version: meta.version + 1 };
  return [
    {
      kind: 'update',
      table: 'cases',
      key: metaKey(meta.caseId),
      set: { ...(set as { readonly [attribute: string]: Value }), fence: next.fence, version: next.version },
      if: [
        { attribute: 'fence', is: '=', value: meta.fence },
        { attribute: 'attempt', is: '=', value: meta.attempt },
      ],
    },
    ...outWrites(next, outgoing),
  ];
}

export function parseMeta(item: Item | undefined): CaseMeta | undefined {
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

function outWrites(meta: Pick<CaseMeta, 'caseId' | 'fence'>, outgoing: readonly Outgoing[]): PlainWrite[] {
  return outgoing.map(({ record, event }, n) => ({
    kind: 'put',
    table: 'cases',
    item: {
      ...caseKey(meta.caseId, `OUT#${ordered(meta.fence)}.${n}`),
      v: 1,
      record: record as unknown as Value,
      ...(event && { event: event as unknown as Value }),
    },
    if: ITEM_ABSENT,
  }));
}

function factWrite(caseId: string, fact: Departure): PlainWrite {
  return {
    kind: 'put',
    table: 'cases',
    item: { ...caseKey(caseId, `FACT#${ordered(fact.effectiveAt, 12)}#${fact.kind}`), v: 1, ...fact },
  };
}

/** The rescind that was looked for is still there, or still is not: otherwise the fold was of half the facts. */
function rescindUnchanged(fact: Departure, rescinded: boolean): CaseWrite {
  const test: Test = { attribute: 'pk', is: rescinded ? 'present' : 'absent' };
  return { kind: 'check', table: 'cases', key: rescindKey(fact.workerId, fact.effectiveAt), if: [test] };
}

function strength(kind: DepartureKind): number {
  return DEPARTURE_KINDS.indexOf(kind);
}
