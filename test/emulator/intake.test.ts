/** Bad deliveries at the deployed webhook endpoint: each a 4xx with a code, and nothing changed. */
import { DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import { Webhook } from 'standardwebhooks';
import { Instance } from '../../bin/edge/instance';
import { patiently } from '../../demo/patience';
import { SeededRandom } from '../../lib/local/random';
import { idsFor } from '../support/seeded';

const message = idsFor('webhook messages');

let url: string;
let instance: Instance;
const now = () => Math.floor(Date.now() / 1000);
const good = JSON.stringify({
  type: 'worker.terminated',
  timestamp: new Date().toISOString(),
  data: { workerId: 'W-9', effectiveAt: '2026-01-01T00:00:00Z' },
});

beforeAll(async () => {
  instance = await Instance.find('demo');
  url = `${process.env.AWS_ENDPOINT_URL}/_aws/execute-api/${instance.output('ApiId', 'offboarding')}/$default/hr`;
});

/** What a delivery could begin. Cases of other suites go on meanwhile, and write rows of their own. */
async function stored(): Promise<string> {
  const items = [];
  for (const table of ['TableInboxName', 'TableCasesName'])
    for await (const page of paginateScan({ client: new DynamoDBClient({}) }, { TableName: instance.output(table) }))
      items.push(...(page.Items ?? []));
  const keys = items.map(({ pk, sk }) => [pk?.S ?? '', sk?.S ?? ''] as const);
  const begun = keys.filter(([pk, sk]) => pk !== 'DUE' && (!pk.startsWith('CASE#') || sk === 'META'));
  return JSON.stringify(begun.map((key) => key.join(' ')).sort());
}

async function post(source: string, body: string | Buffer, headers: Record<string, string>) {
  const request = { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } };
  const response = await patiently('the webhook', () => fetch(`${url}/${source}`, request));
  return { status: response.status, body: (await response.json()) as { code?: string; message?: string } };
}

const signedWith = (key: string, body: string, at = now()) => {
  const id = `msg_${message()}`;
  return {
    'webhook-id': id,
    'webhook-timestamp': String(at),
    'webhook-signature': new Webhook(key).sign(id, new Date(at * 1000), body),
  };
};
const forgedBy = `whsec_${new SeededRandom('a secret that nobody shares').bytes(24).toString('base64')}`;

test.each<[string, string, string | Buffer, () => Record<string, string>]>([
  ['forged', 'people-system', good, () => signedWith(forgedBy, good)],
  ['unsigned', 'people-system', good, () => ({})],
  ['from long ago', 'people-system', good, () => signedWith(forgedBy, good, now() - 400)],
  ['from the future', 'people-system', good, () => signedWith(forgedBy, good, now() + 400)],
  ['of an unknown source', 'nobody', good, () => signedWith(forgedBy, good)],
  ['empty', 'people-system', '', () => signedWith(forgedBy, '')],
  ['of a megabyte', 'people-system', ' '.repeat(1_000_000), () => signedWith(forgedBy, good)],
  ['that is no JSON', 'people-system', '{"type":', () => signedWith(forgedBy, '{"type":')],
  ['that is an array', 'people-system', '[]', () => signedWith(forgedBy, '[]')],
  [
    'in another charset',
    'people-system',
    Buffer.from('{"type":"w\xe9"}', 'latin1'),
    () => ({ ...signedWith(forgedBy, good), 'content-type': 'application/json; charset=latin1' }),
  ],
])('a delivery %s is refused with a code and changes nothing', async (_, source, body, headers) => {
  const before = await stored();
  const answer = await post(source, body, headers());
  expect(answer.status).toBeGreaterThanOrEqual(400);
  expect(answer.status).toBeLessThan(500);
  expect(answer.body.code).toMatch(/^ERR_WEBHOOK_/);
  expect(await stored()).toBe(before);
});
