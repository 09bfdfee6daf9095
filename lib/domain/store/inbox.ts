/**
 * The inbox: what HR systems delivered, verified and normalised, before anything is done about it.
 *
 *     {source} | {delivery}#{body digest}           statements bodySha256 corroboration origin sentAt receivedAt
 *     PENDING | {receivedAt}#{source}#{delivery}    not folded into a case yet; the ticker looks here
 *
 * A delivery is never deleted here: its key is the memory that makes a replay a duplicate. The marker is a row of its
 * own and not an index, so that looking for it is a consistent read. Who can write this table can make anyone a leaver.
 */
import * as z from 'zod/mini';
import { entity, type Schema, shape } from './entity';
import { text, whole } from './shapes';
import { ordered } from './table';

const STATEMENT_KINDS = [
  'termination',
  'contract_end',
  'suspension',
  'transfer',
  'leave',
  'rescinded',
  'rehire',
] as const;
/**
 * `rescinded` takes back what the same source said before; after a `rehire` a departure is a new one; a `leave` (of
 * absence) changes nothing about access.
 */
export type StatementKind = (typeof STATEMENT_KINDS)[number];

export const MEANINGS = ['access-end', 'employment-end'] as const;
/** What the date of a source means. An `employment-end` acts only where no source gave an `access-end`. */
export type Meaning = (typeof MEANINGS)[number];

/** What one HR source said of one worker, in one shape whatever the source. */
export interface Statement {
  readonly kind: StatementKind;
  readonly workerId: string;
  /**
   * Epoch seconds: the event's own time, within the signed bytes. Statements of a source are in this order. An attempt has a
   * newer time than the fact that it tries to tell.
   */
  readonly saidAt: number;
  /** `receipt`: the source gives no time of its event inside what it signs, and this is when it first arrived. */
  readonly timedBy: 'event' | 'receipt';
  /** Epoch seconds, from the statement itself: the time of receipt would make a retry another departure. */
  readonly effectiveAt: number;
  readonly meaning: Meaning;
  /** The offset or the time zone of `effectiveAt`, so that a person can be shown the hour HR meant. */
  readonly zone: string;
  /** The one of several contracts that the statement is about; all of them where it is absent. */
  readonly employment?: string;
  readonly sourceEventId: string;
  readonly initiator?: string;
}

export const CORROBORATIONS = ['confirmed', 'signed-fact'] as const;
/** `confirmed`: a second source has to say the same. `signed-fact` is an explicit choice, recorded in every case. */
export type Corroboration = (typeof CORROBORATIONS)[number];

/** By member, so that a row with more than a statement in it says them too. */
export const STATEMENT_MEMBERS = {
  kind: z.enum(STATEMENT_KINDS),
  workerId: text,
  saidAt: z.int(),
  timedBy: z.enum(['event', 'receipt']),
  effectiveAt: z.int(),
  meaning: z.enum(MEANINGS),
  zone: text,
  employment: z.optional(text),
  sourceEventId: text,
  initiator: z.optional(text),
};

const statement: Schema<Statement> = z.strictObject(STATEMENT_MEMBERS);

export interface Delivery {
  readonly corroboration: Corroboration;
  /** The system of record behind the source: two sources of one origin say one thing twice. */
  readonly origin: string;
  readonly statements: readonly Statement[];
  readonly bodySha256: string;
  /** Epoch seconds, as the sender signed it. */
  readonly sentAt: number;
  readonly receivedAt: number;
}

/** No source may have this name; names of sources are lower case. */
export const PENDING_PARTITION = 'PENDING';

export const DELIVERY = entity({
  name: 'delivery',
  table: 'inbox',
  /** With the digest: a delivery id that comes with another body is another delivery. */
  key: (source: string, deliveryId: string) => ({ pk: source, sk: deliveryId }),
  owns: ({ pk }) => pk !== PENDING_PARTITION,
  schema: shape<Delivery>(
    z.strictObject({
      corroboration: z.enum(CORROBORATIONS),
      origin: text,
      statements: z.array(statement),
      bodySha256: text,
      sentAt: whole,
      receivedAt: whole,
    }),
  ),
  fromKey: ({ pk, sk }) => ({ source: pk, deliveryId: sk }),
});

export const PENDING_DELIVERY = entity({
  name: 'delivery that waits to be folded',
  table: 'inbox',
  key: (receivedAt: number, source: string, deliveryId: string) => ({
    pk: PENDING_PARTITION,
    sk: `${ordered(receivedAt, 12)}#${source}#${deliveryId}`,
  }),
  owns: ({ pk }) => pk === PENDING_PARTITION,
  part: () => ({ pk: PENDING_PARTITION }),
  schema: shape<{ readonly source: string; readonly delivery: string; readonly receivedAt: number }>(
    z.strictObject({ source: text, delivery: text, receivedAt: whole }),
  ),
});
