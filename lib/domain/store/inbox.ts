/**
 * The inbox: what HR systems delivered, verified and normalised, before anything is done about it.
 *
 *     {source} | {delivery}                         statements bodySha256 corroboration sentAt receivedAt
 *     PENDING | {receivedAt}#{source}#{delivery}    not folded into a case yet; the ticker looks here
 *
 * A delivery is never deleted here: its key is the memory that makes a replay a duplicate. The marker is a row of its
 * own and not an index, so that looking for it is a consistent read. Who can write this table can make anyone a leaver.
 */
import * as z from 'zod/mini';
import { entity, type Schema, shape } from './entity';
import { text, whole } from './shapes';
import { ordered } from './table';

const STATEMENT_KINDS = ['termination', 'contract_end', 'transfer', 'rescinded', 'rehire'] as const;
/** `rescinded` takes back the departure at its `effectiveAt`; `rehire` comes back as somebody new. */
export type StatementKind = (typeof STATEMENT_KINDS)[number];

/** What one HR source said of one worker, in one shape whatever the source. */
export interface Statement {
  readonly kind: StatementKind;
  readonly workerId: string;
  /** Epoch seconds, from the statement itself: the time of receipt would make a retry another departure. */
  readonly effectiveAt: number;
  /** The offset that the source wrote, so that a person can be shown the hour HR meant. */
  readonly zone: string;
  readonly sourceEventId: string;
  readonly initiator?: string;
}

export const CORROBORATIONS = ['confirmed', 'signed-fact'] as const;
/** `confirmed`: the statement is read back from the HR system. `signed-fact` is an explicit choice, recorded in every case. */
export type Corroboration = (typeof CORROBORATIONS)[number];

export const statement: Schema<Statement> = z.strictObject({
  kind: z.enum(STATEMENT_KINDS),
  workerId: text,
  effectiveAt: z.int(),
  zone: text,
  sourceEventId: text,
  initiator: z.optional(text),
});

export interface Delivery {
  readonly corroboration: Corroboration;
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
  key: (source: string, deliveryId: string) => ({ pk: source, sk: deliveryId }),
  owns: ({ pk }) => pk !== PENDING_PARTITION,
  schema: shape<Delivery>(
    z.strictObject({
      corroboration: z.enum(CORROBORATIONS),
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
