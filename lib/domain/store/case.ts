/**
 * A case and what is known of its worker, in table `cases`.
 *
 *     CASE#{id} | META                              state version attempt fence dates kind …
 *     CASE#{id} | STATEMENT#{effectiveAt}#{kind}    what HR said of this departure
 *     WORKER#{id} | OPEN                            caseId of the one open case
 *     WORKER#{id} | PSEUDONYM                       random; the only name of the worker in evidence
 *     WORKER#{id} | RESCIND#{effectiveAt}           a rescind, which may arrive before the departure it takes back
 *     DUE | {dueAt}#{id}                            what the ticker looks for: a date, or when to look after an attempt
 */
import * as z from 'zod/mini';
import { casePartition } from './case-items';
import { entity, shape } from './entity';
import { CORROBORATIONS, type Corroboration, type Statement, statement } from './inbox';
import { flag, text, whole } from './shapes';
import { ordered } from './table';

const CASE_STATES = ['OPEN', 'DUE', 'CONTAINING', 'CONTAINED', 'HELD', 'ACTING', 'PROVING', 'CLOSED'] as const;
export type CaseState = (typeof CASE_STATES)[number];

/** Weakest first. A transfer ends custody and nothing else: the worker stays, and so does the access of the person. */
export const DEPARTURE_KINDS = ['transfer', 'contract_end', 'termination'] as const;
export type DepartureKind = (typeof DEPARTURE_KINDS)[number];

/** What all departure statements of a case come to. A join: order and repetition of the statements change nothing. */
export interface CaseFold {
  readonly kind: DepartureKind;
  /** Every effective instant that HR named, in order. */
  readonly dates: readonly number[];
  readonly rescinded: boolean;
}

export interface CaseMeta extends CaseFold {
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
  readonly corroboration: Corroboration;
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
}

export const CASE = entity({
  name: 'case',
  table: 'cases',
  key: (caseId: string) => ({ pk: casePartition(caseId), sk: 'META' }),
  owns: ({ pk, sk }) => pk.startsWith('CASE#') && sk === 'META',
  schema: shape<CaseMeta>(
    z.strictObject({
      kind: z.enum(DEPARTURE_KINDS),
      dates: z.array(z.int()),
      rescinded: flag,
      caseId: text,
      workerId: text,
      pseudonym: text,
      state: z.enum(CASE_STATES),
      version: whole,
      attempt: whole,
      fence: whole,
      dueAt: z.int(),
      source: text,
      corroboration: z.enum(CORROBORATIONS),
      followUpOf: z.optional(text),
      hrEventAt: whole,
      acceptedAt: whole,
      openedAt: whole,
      containedAt: z.optional(whole),
      plannedAt: z.optional(whole),
      taintedAt: z.optional(whole),
      deniedAt: z.optional(whole),
      provedAt: z.optional(whole),
      closedAt: z.optional(whole),
      sealedAt: z.optional(whole),
      successors: z.optional(z.record(z.string(), text)),
      followUp: z.optional(text),
    }),
  ),
});

export const CASE_STATEMENT = entity({
  name: 'statement of a case',
  table: 'cases',
  key: (caseId: string, { effectiveAt, kind }: Pick<Statement, 'effectiveAt' | 'kind'>) => ({
    pk: casePartition(caseId),
    sk: `STATEMENT#${ordered(effectiveAt, 12)}#${kind}`,
  }),
  owns: ({ pk, sk }) => pk.startsWith('CASE#') && sk.startsWith('STATEMENT#'),
  schema: statement,
});

const isWorker = (pk: string) => pk.startsWith('WORKER#');

export const OPEN_CASE = entity({
  name: 'pointer to the open case of a worker',
  table: 'cases',
  key: (workerId: string) => ({ pk: `WORKER#${workerId}`, sk: 'OPEN' }),
  owns: ({ pk, sk }) => isWorker(pk) && sk === 'OPEN',
  schema: shape<{ readonly caseId?: string }>(z.strictObject({ caseId: z.optional(text) })),
});

export const PSEUDONYM = entity({
  name: 'pseudonym of a worker',
  table: 'cases',
  key: (workerId: string) => ({ pk: `WORKER#${workerId}`, sk: 'PSEUDONYM' }),
  owns: ({ pk, sk }) => isWorker(pk) && sk === 'PSEUDONYM',
  schema: shape<{ readonly pseudonym: string }>(z.strictObject({ pseudonym: text })),
});

export const RESCIND = entity({
  name: 'rescind of a departure',
  table: 'cases',
  key: (workerId: string, effectiveAt: number) => ({
    pk: `WORKER#${workerId}`,
    sk: `RESCIND#${ordered(effectiveAt, 12)}`,
  }),
  owns: ({ pk, sk }) => isWorker(pk) && sk.startsWith('RESCIND#'),
  schema: shape<object>(z.strictObject({})),
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
