/**
 * What is known of one worker before, between and beside their cases, in table `cases`.
 *
 *     WORKER#{id} | SAID#{saidAt}#{digest}   one statement of one source; append only
 *     WORKER#{id} | SCHEDULE                 version, the cases begun so far, when the next one is due
 *     WORKER#{id} | PSEUDONYM                random; the only name of the worker in evidence
 *     WORKER#{id} | SHUT#{kind}#{digest}     one thing that is shut, and for which cases
 *     APPROVERS | SET#{n}                    who may approve from `at` on, until the set n + 1; append only
 *     DUE-WORKER | {dueAt}#{id}              what the ticker looks for: a departure that begins on its date
 */
import * as z from 'zod/mini';
import { SHUT_KINDS, type ShutKind, type Target, target } from './case-items';
import { entity, type Schema, shape } from './entity';
import { CORROBORATIONS, type Corroboration, STATEMENT_MEMBERS, type Statement } from './inbox';
import { flag, text, whole } from './shapes';
import { ordered } from './table';

const isWorker = (pk: string) => pk.startsWith('WORKER#');
const partition = (workerId: string) => `WORKER#${workerId}`;

/** A statement, and whose word it is. */
export interface Said extends Statement {
  readonly source: string;
  readonly origin: string;
  readonly corroboration: Corroboration;
  readonly receivedAt: number;
  readonly bodySha256: string;
}

const said: Schema<Said> = z.strictObject({
  ...STATEMENT_MEMBERS,
  source: text,
  origin: text,
  corroboration: z.enum(CORROBORATIONS),
  receivedAt: whole,
  bodySha256: text,
});

export const SAID = entity({
  name: 'statement about a worker',
  table: 'cases',
  /** `digest` is that of source and content: what is said twice is one statement. */
  key: (workerId: string, saidAt: number, digest: string) => ({
    pk: partition(workerId),
    sk: `SAID#${ordered(saidAt, 12)}#${digest}`,
  }),
  owns: ({ pk, sk }) => isWorker(pk) && sk.startsWith('SAID#'),
  part: (workerId: string) => ({ pk: partition(workerId), prefix: 'SAID#' }),
  schema: said,
});

export interface Schedule {
  /** Grows with every statement and every case: who has read an older one reads again. */
  readonly version: number;
  /** Ids of the cases begun about this worker, the first first; follow-ups are not among them. */
  readonly caseIds: readonly string[];
  /** When the next departure begins; absent where none is scheduled. */
  readonly dueAt?: number;
}

export const SCHEDULE = entity({
  name: 'schedule of a worker',
  table: 'cases',
  key: (workerId: string) => ({ pk: partition(workerId), sk: 'SCHEDULE' }),
  owns: ({ pk, sk }) => isWorker(pk) && sk === 'SCHEDULE',
  schema: shape<Schedule>(z.strictObject({ version: whole, caseIds: z.array(text), dueAt: z.optional(z.int()) })),
});

export const PSEUDONYM = entity({
  name: 'pseudonym of a worker',
  table: 'cases',
  key: (workerId: string) => ({ pk: partition(workerId), sk: 'PSEUDONYM' }),
  owns: ({ pk, sk }) => isWorker(pk) && sk === 'PSEUDONYM',
  schema: shape<{ readonly pseudonym: string }>(z.strictObject({ pseudonym: text })),
});

/**
 * One thing of the worker's that cases want shut. Each case adds itself, also where it finds the thing shut: a give-back
 * opens it only if no case is left that wants it shut, and we were the ones who shut it.
 */
export interface Shut {
  readonly kind: ShutKind;
  readonly ring?: string;
  readonly target: Target;
  /** As it was before the first of these cases. */
  readonly found: 'open' | 'shut';
  readonly caseIds: readonly string[];
  /** Of a personal key: its policy does not name our role, so people enable it. Absent: it does, or nobody could look. */
  readonly byHand?: boolean;
  /** The one case, where there is one only: what a transaction can test. */
  readonly soleCase?: string;
  /** When a case was last about to shut it; absent once that was done. */
  readonly shuttingAt?: number;
  /** The give-back that is about to open it. */
  readonly openingBy?: string;
  readonly openingAt?: number;
}

export const SHUT = entity({
  name: 'thing that is shut',
  table: 'cases',
  key: (workerId: string, kind: ShutKind, digest: string) => ({
    pk: partition(workerId),
    sk: `SHUT#${kind}#${digest}`,
  }),
  owns: ({ pk, sk }) => isWorker(pk) && sk.startsWith('SHUT#'),
  part: (workerId: string) => ({ pk: partition(workerId), prefix: 'SHUT#' }),
  schema: shape<Shut>(
    z.strictObject({
      kind: z.enum(SHUT_KINDS),
      ring: z.optional(text),
      target,
      found: z.enum(['open', 'shut']),
      caseIds: z.array(text),
      byHand: z.optional(flag),
      soleCase: z.optional(text),
      shuttingAt: z.optional(whole),
      openingBy: z.optional(text),
      openingAt: z.optional(whole),
    }),
  ),
  fromKey: (key) => ({ key }),
});

/**
 * Who may approve, as a deployment said it, by number from 1: a set that comes back has a number of its own, because it holds
 * anew from another instant.
 */
export interface ApproverSet {
  readonly n: number;
  /** Of their pseudonyms, as the record has it. */
  readonly digest: string;
  /** None: nobody may approve. */
  readonly members: readonly { readonly workerId: string; readonly pseudonym: string }[];
  /** It holds from here on, until the next one does. */
  readonly at: number;
}

export const APPROVERS = entity({
  name: 'set of approvers on record',
  table: 'cases',
  key: (n: number) => ({ pk: 'APPROVERS', sk: `SET#${ordered(n, 6)}` }),
  owns: ({ pk, sk }) => pk === 'APPROVERS' && sk.startsWith('SET#'),
  part: () => ({ pk: 'APPROVERS', prefix: 'SET#' }),
  schema: shape<ApproverSet>(
    z.strictObject({
      n: whole,
      digest: text,
      members: z.array(z.strictObject({ workerId: text, pseudonym: text })),
      at: whole,
    }),
  ),
});

export const DUE_WORKER = entity({
  name: 'due marker of a worker',
  table: 'cases',
  key: (dueAt: number, workerId: string) => ({ pk: 'DUE-WORKER', sk: `${ordered(dueAt, 12)}#${workerId}` }),
  owns: ({ pk }) => pk === 'DUE-WORKER',
  part: () => ({ pk: 'DUE-WORKER' }),
  schema: shape<{ readonly workerId: string }>(z.strictObject({ workerId: text })),
  fromKey: (key) => ({ key, dueAt: Number(key.sk.slice(0, key.sk.indexOf('#'))) }),
});
