/** The writes of a delivery: the delivery itself, and the marker that it waits to be folded. */
import { put } from '../store/entity';
import { DELIVERY, type Delivery, PENDING_DELIVERY } from '../store/inbox';
import { ROW_ABSENT, type Write } from '../store/table';

export interface StoredDelivery extends Delivery {
  readonly source: string;
  readonly deliveryId: string;
}

/**
 * Refused as a whole (`ERR_CONDITION_FAILED`) where the delivery is known, folded or not: the same id with the same bytes. The
 * same id with other bytes is another delivery, because a sender that numbers badly must not swallow a departure.
 */
export function deliveryWrites({ source, deliveryId: given, ...delivery }: StoredDelivery): Write<'inbox:put'>[] {
  const { receivedAt, bodySha256 } = delivery;
  const deliveryId = `${given}#${bodySha256}`;
  return [
    put(DELIVERY, [source, deliveryId], delivery, ROW_ABSENT),
    {
      kind: 'put',
      table: 'inbox',
      row: PENDING_DELIVERY.row([receivedAt, source, deliveryId], { source, delivery: deliveryId, receivedAt }),
    },
  ];
}
