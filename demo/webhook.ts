/** The HR system of the story: Standard Webhooks, signed with the secret that it shares with Curfew. */
import { randomUUID } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { WORKER } from './cast';
import { patiently } from './patience';

export interface Delivery {
  readonly id: string;
  /** Epoch seconds. */
  readonly sentAt: number;
  readonly body: string;
  readonly signature: string;
}

/** The fact: W-1042's employment ended at this instant. */
export function departure(secret: string, at: number): Delivery {
  const body = JSON.stringify({
    type: 'worker.terminated',
    timestamp: new Date(at * 1000).toISOString(),
    data: { workerId: WORKER, effectiveAt: new Date(at * 1000).toISOString(), initiatorId: 'W-0007' },
  });
  return signed(secret, at, body);
}

export function signed(secret: string, sentAt: number, body: string): Delivery {
  const id = `msg_${randomUUID().replaceAll('-', '')}`;
  return { id, sentAt, body, signature: new Webhook(secret).sign(id, new Date(sentAt * 1000), body) };
}

/** POST /hr/{source}; `code` is `ok` or what Curfew said instead. */
export async function post(
  url: string,
  { id, sentAt, body, signature }: Delivery,
): Promise<{ status: number; code: string }> {
  const headers = {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(sentAt),
    'webhook-signature': signature,
  };
  const response = await patiently('the webhook', () => fetch(url, { method: 'POST', headers, body }));
  const answer = (await response.json()) as { code?: string };
  return { status: response.status, code: answer.code ?? 'ok' };
}
