/**
 * The inbox: what HR systems delivered, verified and normalised, before anything is done about it.
 *
 *     {source} | {delivery}                         statements bodySha256 corroboration sentAt receivedAt
 *     PENDING | {receivedAt}#{source}#{delivery}    not folded into a case yet; the ticker looks here
 *
 * A delivery is never deleted here: its key is the memory that makes a replay a duplicate. The marker is an item of its
 * own and not an index, so that looking for it is a consistent read. Who can write this table can make anyone a leaver.
 */
import { ordered, ROW_ABSENT, type Row, type RowKey, type Write } from '../store/table';
import type { Statement } from './statement';

/** No source may have this name; names of sources are lower case. */
export const PENDING_PARTITION = 'PENDING';

export interface StoredDelivery {
  readonly source: string;
  readonly deliveryId: string;
  readonly corroboration: 'confirmed' | 'signed-fact';
  readonly statements: readonly Statement[];
  readonly bodySha256: string;
  /** Epoch seconds, as the sender signed it. */
  readonly sentAt: number;
  readonly receivedAt: number;
}

export const deliveryKey = (source: string, delivery: string): RowKey => ({ pk: source, sk: delivery });

export function pendingKey({ source, deliveryId, receivedAt }: StoredDelivery): RowKey {
  return { pk: PENDING_PARTITION, sk: `${ordered(receivedAt, 12)}#${source}#${deliveryId}` };
}

/** Refused as a whole (`ERR_CONDITION_FAILED`) where the delivery is known, folded or not. */
export function deliveryWrites(delivery: StoredDelivery): Write<'inbox:put'>[] {
  const { source, deliveryId, ...rest } = delivery;
  return [
    { kind: 'put', table: 'inbox', row: { ...deliveryKey(source, deliveryId), v: 1, ...rest }, if: ROW_ABSENT },
    {
      kind: 'put',
      table: 'inbox',
      row: { ...pendingKey(delivery), v: 1, source, delivery: deliveryId, receivedAt: rest.receivedAt },
    },
  ];
}

export function parseDelivery(item: Row): StoredDelivery {
  const { pk: source, sk: deliveryId, v: _v, ...rest } = item;
  return { source, deliveryId, ...rest } as unknown as StoredDelivery;
}
