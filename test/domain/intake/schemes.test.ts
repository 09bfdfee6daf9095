import { createHmac, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { isCurfewError } from '../../../lib/domain/base/errors';
import {
  DELIVERY_AGE_SECONDS_MAX,
  DELIVERY_SKEW_SECONDS_MAX,
  type Delivery,
  type Scheme,
  verifyDelivery,
} from '../../../lib/domain/intake/schemes';
import { vectors } from '../../vectors/published.json';

const NOW = 1_800_000_000;
const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const OTHER_SECRET = `whsec_${Buffer.alloc(32, 8).toString('base64')}`;
const BAMBOO_SECRET = 'a-private-key-of-bamboohr';
const BODY = Buffer.from('{"type":"worker.terminated"}');

function standard({ id = 'msg_1', at = NOW, body = BODY, secrets = [SECRET] } = {}): Delivery {
  const signatures = secrets.map((secret) => new Webhook(secret).sign(id, new Date(at * 1000), body.toString()));
  const headers = { 'webhook-id': id, 'webhook-timestamp': String(at), 'webhook-signature': signatures.join(' ') };
  return { headers, rawBody: body };
}

function bamboo(at = NOW, body = BODY): Delivery {
  const signature = createHmac('sha256', BAMBOO_SECRET).update(body).update(String(at)).digest('hex');
  return { headers: { 'x-bamboohr-timestamp': String(at), 'x-bamboohr-signature': signature }, rawBody: body };
}

function refusal(run: () => unknown): { code: string; message: string } {
  try {
    run();
  } catch (error) {
    if (isCurfewError(error)) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('nothing was refused');
}

const refused = (
  delivery: Delivery,
  secrets: readonly string[] = [SECRET],
  now = NOW,
  scheme: Scheme = 'standard-webhooks',
) => refusal(() => verifyDelivery(scheme, delivery, secrets, now));

const published = (vendor: string) => {
  const vector = vectors.find((candidate) => candidate.vendor.startsWith(vendor));
  if (!vector?.headers || vector.body === undefined || vector.now === undefined) throw new Error(`no vector ${vendor}`);
  return {
    ...vector,
    headers: { ...vector.headers } as unknown as Record<string, string>,
    body: Buffer.from(vector.body),
    now: vector.now,
  };
};

describe('published vectors', () => {
  test('standard-webhooks libraries/javascript/src/webhook.test.ts', () => {
    const { headers, body, now, secret = '' } = published('standard-webhooks v1');
    const verified = verifyDelivery('standard-webhooks', { headers, rawBody: body }, [secret], now);
    expect(verified).toMatchObject({ deliveryId: 'msg_p5jXN8AQM9LWM0D4loKWxJek', sentAt: 1614265330 });
  });

  test('standard-webhooks libraries/go/webhook_asymmetric_test.go', () => {
    const { headers, body, now, private_seed_b64 = '' } = published('standard-webhooks v1a');
    const pkcs8 = Buffer.concat([
      Buffer.from('302e020100300506032b657004220420', 'hex'),
      Buffer.from(private_seed_b64, 'base64'),
    ]);
    const spki = createPublicKey(createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })).export({
      format: 'der',
      type: 'spki',
    });
    const secret = `whpk_${spki.subarray(-32).toString('base64')}`;
    expect(verifyDelivery('standard-webhooks', { headers, rawBody: body }, [SECRET, secret], now).sentAt).toBe(now);
  });

  test('Finch-API/finch-api-node tests/api-resources/webhooks.test.ts, the same recipe under its own header names', () => {
    const { headers, body, now, secret_b64, reject_at = [] } = published('finch');
    const renamed = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [
        name.toLowerCase().replace('finch-event-id', 'webhook-id').replace('finch-', 'webhook-'),
        value,
      ]),
    );
    const delivery = { headers: renamed, rawBody: body };
    const secrets = [`whsec_${secret_b64}`];
    expect(verifyDelivery('standard-webhooks', delivery, secrets, now).deliveryId).toBe(
      'msg_2Lh9KRb0pzN4LePd3XiA4v12Axj',
    );
    expect(reject_at.map((at) => refused(delivery, secrets, at).code)).toEqual([
      'ERR_WEBHOOK_TOO_OLD',
      'ERR_WEBHOOK_TOO_NEW',
    ]);
  });
});

describe('the window', () => {
  test.each<[Scheme, (at: number) => Delivery, string]>([
    ['standard-webhooks', (at) => standard({ at }), SECRET],
    ['bamboohr', (at) => bamboo(at), BAMBOO_SECRET],
  ])('%s: 270 seconds old and 30 seconds ahead are the last that count', (scheme, deliver, secret) => {
    const at = (seconds: number) => verifyDelivery(scheme, deliver(NOW + seconds), [secret], NOW).sentAt;
    expect([at(-DELIVERY_AGE_SECONDS_MAX), at(DELIVERY_SKEW_SECONDS_MAX)]).toEqual([NOW - 270, NOW + 30]);
    expect(refused(deliver(NOW - 271), [secret], NOW, scheme)).toEqual({
      code: 'ERR_WEBHOOK_TOO_OLD',
      message: 'the delivery is older than 270 seconds',
    });
    expect(refused(deliver(NOW + 31), [secret], NOW, scheme)).toEqual({
      code: 'ERR_WEBHOOK_TOO_NEW',
      message: 'the delivery is more than 30 seconds ahead',
    });
  });

  test.each([
    '',
    '007',
    '-1',
    '1.8e9',
    ' 1800000000',
    '1800000000 ',
    '0x6b49d200',
    '+1800000000',
    '1800000000,1800000000',
    'NaN',
  ])('the timestamp %p is not whole epoch seconds', (timestamp) => {
    const { headers, rawBody } = standard();
    expect(refused({ headers: { ...headers, 'webhook-timestamp': timestamp }, rawBody })).toEqual({
      code: 'ERR_WEBHOOK_HEADER',
      message: 'the header webhook-timestamp is not whole epoch seconds',
    });
  });
});

describe('signatures', () => {
  test('any of several signatures under any live secret counts', () => {
    const rotating = standard({ secrets: [OTHER_SECRET, SECRET] });
    expect(verifyDelivery('standard-webhooks', rotating, [SECRET], NOW).deliveryId).toBe('msg_1');
    expect(verifyDelivery('standard-webhooks', standard(), [OTHER_SECRET, SECRET], NOW).deliveryId).toBe('msg_1');
  });

  test.each([
    ['another secret', { secrets: [OTHER_SECRET] }],
    ['the body of another delivery', { body: Buffer.from('{}') }],
    ['another id', { id: 'msg_2' }],
  ])('a signature of %s is refused', (_what, made) => {
    const { headers } = standard(made);
    const forged = {
      headers: { ...standard().headers, 'webhook-signature': headers['webhook-signature'] },
      rawBody: BODY,
    };
    expect(refused(forged)).toEqual({
      code: 'ERR_WEBHOOK_SIGNATURE',
      message: 'no live secret of this source signed these bytes',
    });
  });

  test.each([
    '',
    ' ',
    'v1',
    'v1,',
    'v1,AAAA',
    `v2,${Buffer.alloc(32).toString('base64')}`,
    `v1,${Buffer.alloc(33).toString('base64')}`,
    `v1,${Buffer.alloc(32).toString('base64url')}`,
  ])('the signature header %p is not one', (signature) => {
    const { headers, rawBody } = standard();
    expect(refused({ headers: { ...headers, 'webhook-signature': signature }, rawBody })).toMatchObject({
      code: 'ERR_WEBHOOK_HEADER',
      message: expect.stringContaining('webhook-signature'),
    });
  });

  test('nine signatures are more than a rotation needs', () => {
    expect(refused(standard({ secrets: Array(9).fill(SECRET) })).code).toBe('ERR_WEBHOOK_HEADER');
  });

  test.each(['webhook-id', 'webhook-timestamp', 'webhook-signature'])('a delivery without %s is refused', (name) => {
    const { headers, rawBody } = standard();
    expect(refused({ headers: { ...headers, [name]: undefined }, rawBody })).toEqual({
      code: 'ERR_WEBHOOK_HEADER',
      message: `the header ${name} is missing`,
    });
  });

  test('an id with a full stop could move bytes between id, timestamp and body', () => {
    expect(refused(standard({ id: 'msg.1' })).message).toBe(
      'the header webhook-id is not 1 to 128 visible characters, no full stop',
    );
  });

  test('an Ed25519 signature does not count under a shared secret, nor a HMAC under a public key', () => {
    const key = createPrivateKey({
      key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, 7)]),
      format: 'der',
      type: 'pkcs8',
    });
    const { headers, rawBody } = standard();
    const signature = sign(null, Buffer.concat([Buffer.from(`msg_1.${NOW}.`), rawBody]), key).toString('base64');
    expect(refused({ headers: { ...headers, 'webhook-signature': `v1a,${signature}` }, rawBody }).code).toBe(
      'ERR_WEBHOOK_SIGNATURE',
    );
    expect(refused(standard(), [`whpk_${Buffer.alloc(32, 7).toString('base64')}`]).code).toBe('ERR_WEBHOOK_SIGNATURE');
  });

  test('the widely copied order, timestamp first, is not how bamboohr signs', () => {
    const signature = createHmac('sha256', BAMBOO_SECRET).update(`${NOW}.`).update(BODY).digest('hex');
    const headers = { ...bamboo().headers, 'x-bamboohr-signature': signature };
    expect(refused({ headers, rawBody: BODY }, [BAMBOO_SECRET], NOW, 'bamboohr').code).toBe('ERR_WEBHOOK_SIGNATURE');
  });

  test('upper-case hex is another spelling, and refused', () => {
    const { headers } = bamboo();
    const upper = { ...headers, 'x-bamboohr-signature': headers['x-bamboohr-signature']?.toUpperCase() };
    expect(refused({ headers: upper, rawBody: BODY }, [BAMBOO_SECRET], NOW, 'bamboohr').code).toBe(
      'ERR_WEBHOOK_HEADER',
    );
  });

  test("two deliveries of bamboohr with one body are one delivery: the vendor's retry is signed again", () => {
    const first = verifyDelivery('bamboohr', bamboo(NOW - 60), [BAMBOO_SECRET], NOW);
    const retry = verifyDelivery('bamboohr', bamboo(NOW), [BAMBOO_SECRET], NOW);
    expect(retry.deliveryId).toBe(first.deliveryId);
  });
});

test.each([
  [[]],
  [['']],
  [['whsec_']],
  [['whsec_short']],
  [[SECRET, 'unprefixed']],
  [[`whsk_${Buffer.alloc(32).toString('base64')}`]],
])('secrets %j are a fault of ours, whatever was delivered', (secrets) => {
  expect(refused(standard(), secrets)).toEqual({
    code: 'ERR_CONFIG_INVALID',
    message: 'a webhook secret of this source is missing or unreadable',
  });
});

describe('properties', () => {
  const body = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));

  test('a genuine delivery is accepted, as the standardwebhooks package accepts it', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), fc.integer({ min: -270, max: 30 }), (text, age) => {
        const delivery = standard({ at: NOW + age, body: Buffer.from(text) });
        expect(verifyDelivery('standard-webhooks', delivery, [SECRET], NOW).sentAt).toBe(NOW + age);
      }),
    );
  });

  test('one changed bit anywhere in what is signed or in the signature is never accepted', () => {
    fc.assert(
      fc.property(
        body,
        fc.constantFrom('body', 'webhook-id', 'webhook-timestamp', 'webhook-signature'),
        fc.nat(),
        fc.integer({ min: 0, max: 7 }),
        (bytes, where, position, bit) => {
          const raw = Buffer.from(bytes.toString('utf8')); // the oracle signs text
          const genuine = standard({ body: raw });
          const target = where === 'body' ? raw : Buffer.from(genuine.headers[where] ?? '', 'latin1');
          fc.pre(target.length > 0);
          const mutant = Buffer.from(target);
          const at = position % mutant.length;
          mutant[at] = (mutant[at] ?? 0) ^ (1 << bit);
          const delivery =
            where === 'body'
              ? { ...genuine, rawBody: mutant }
              : { ...genuine, headers: { ...genuine.headers, [where]: mutant.toString('latin1') } };
          expect(refused(delivery).code).toMatch(/^ERR_WEBHOOK_/);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('whatever a stranger sends, he is answered with one of the webhook codes', () => {
    const anyHeaders = fc.record({
      'webhook-id': fc.string(),
      'webhook-timestamp': fc.oneof(fc.string(), fc.constant(String(NOW))),
      'webhook-signature': fc.oneof(
        fc.string(),
        fc.uint8Array({ minLength: 32, maxLength: 32 }).map((b) => `v1,${Buffer.from(b).toString('base64')}`),
      ),
    });
    fc.assert(
      fc.property(anyHeaders, body, (headers, rawBody) => {
        expect(refused({ headers, rawBody }).code).toMatch(/^ERR_WEBHOOK_/);
      }),
    );
  });
});
