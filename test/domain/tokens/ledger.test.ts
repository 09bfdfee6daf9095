import { createHash } from 'node:crypto';
import { parseCompact } from '../../../lib/domain/jose/compact';
import { LEDGER_ROW, shardOf } from '../../../lib/domain/store/ledger';
import { GATE, GATES, RING_HEAD } from '../../../lib/domain/store/ring-head';
import type { Write } from '../../../lib/domain/store/table';
import { jtiHash } from '../../../lib/domain/tokens/claims';
import { setCutOff } from '../../../lib/domain/tokens/cut-off-transitions';
import {
  type Body,
  type Issuance,
  isVersionOf,
  recordAdopted,
  recordIntent,
  recordIssued,
  recordResigned,
  tokenOf,
} from '../../../lib/domain/tokens/ledger';
import { signJws } from '../../support/keys';
import { RingTable } from '../../support/ring-table';
import { activeRecord, CFG, keyRecord, NOW, poolKey, ringWith } from '../../support/rings';

const claims = {
  iss: CFG.iss,
  aud: CFG.aud,
  sub: 'member-1',
  client_id: 'web',
  jti: 'jti-1',
  iat: NOW,
  exp: NOW + 3600,
};
const kid = (slot: number) => poolKey(slot).jwk.kid;
const H = (text: string) => createHash('sha256').update(text).digest('base64url');

function issuance(slot = 1, more: Partial<Issuance> = {}): Issuance {
  const compact = signJws(poolKey(slot), { alg: 'ES256', kid: kid(slot), typ: 'at+jwt' }, claims);
  return {
    ring: 'customer-api',
    key: slot === 1 ? activeRecord(1) : keyRecord(slot, { kind: 'legacy', state: 'OBSERVED' }),
    fence: 7,
    claims,
    token: parseCompact(compact),
    blinded: ['sub-b', 'client-b'],
    callerArn: 'arn:test',
    now: NOW,
    outId: `${NOW}-${slot}`,
    ...more,
  };
}

async function table() {
  return RingTable.of(
    ringWith({ keys: [activeRecord(1), keyRecord(2), keyRecord(9, { kind: 'legacy', state: 'OBSERVED' })] }),
  );
}

const issueOnce = async (ring: RingTable, one = issuance()) => {
  await ring.tables.transact([recordIntent(one.key, one.claims, one.token)]);
  await ring.tables.transact(recordIssued(one));
};

test('a jti is used once under a kid: the second intent is refused before anything is signed', async () => {
  const ring = await table();
  await issueOnce(ring);
  await expect(ring.tables.transact([recordIntent(activeRecord(1), claims, issuance().token)])).rejects.toMatchObject({
    code: 'ERR_CONDITION_FAILED',
  });
});

test('an intent alone is no issued token', async () => {
  const ring = await table();
  const one = issuance();
  await ring.tables.transact([recordIntent(one.key, claims, one.token)]);
  expect(ring.tables.dump('ledger')).toEqual([]);
  const [body] = ring.tables.dump('bodies');
  expect(() => tokenOf(body as unknown as Body)).toThrow(
    expect.objectContaining({ code: 'ERR_NOT_FOUND', message: 'the token was never signed', got: 'INTENT' }),
  );
});

test('an issued token is one row, one body and one digest that waits for the committer, and none of them holds it', async () => {
  const ring = await table();
  const one = issuance();
  await issueOnce(ring, one);
  const token = `${one.token.signingInput}.${one.token.signature.toString('base64url')}`;
  const [row] = ring.tables.dump('ledger').map(LEDGER_ROW.parse);
  expect(row).toMatchObject({
    jtiH: H('jti-1'),
    tokenSha256: H(token),
    payloadSha256: H(JSON.stringify(claims)),
    iat: NOW,
    exp: NOW + 3600,
    fence: 7,
    subH: 'sub-b',
  });
  expect(ring.tables.dump('markers')).toMatchObject([{ kid: kid(1), jtiH: H('jti-1'), tokenSha256: H(token) }]);
  const everything = JSON.stringify(
    (['ledger', 'bodies', 'markers', 'cut-offs'] as const).map((name) => ring.tables.dump(name)),
  );
  for (const secret of [token, 'member-1']) expect(everything).not.toContain(secret);
  expect(tokenOf(ring.tables.dump('bodies')[0] as unknown as Body).token).toBe(token);
});

test.each<[string, (ring: RingTable) => Promise<unknown>]>([
  [
    'the subject was cut off',
    async ({ tables }) => tables.transact(setCutOff({ ring: 'customer-api', blinded: 'sub-b', caseId: 'c-1' }, 0, NOW)),
  ],
  [
    'the client was cut off',
    async ({ tables }) =>
      tables.transact(setCutOff({ ring: 'customer-api', blinded: 'client-b', caseId: 'c-1' }, 0, NOW)),
  ],
  ['another key issues', async (ring) => setHead(ring, { activeKid: kid(2) })],
  ['the ring was halted', async (ring) => setHead(ring, { halted: true })],
  ['the ring began to close', async (ring) => setHead(ring, { closingAt: NOW })],
])('between the signature and the row %s: nothing is issued', async (_what, change) => {
  const ring = await table();
  const one = issuance();
  await ring.tables.transact([recordIntent(one.key, claims, one.token)]);
  await change(ring);
  await expect(ring.tables.transact(recordIssued(one))).rejects.toMatchObject({ code: 'ERR_CONDITION_FAILED' });
  expect([ring.tables.dump('ledger'), ring.tables.dump('markers')]).toEqual([[], []]);
});

test('a re-sign is fenced by the key that issues, and not by a halt: it issues nothing new', async () => {
  const ring = await table();
  await setHead(ring, { halted: true, closingAt: NOW });
  await ring.tables.transact(recordResigned(issuance(), kid(9)));
  await setHead(ring, { activeKid: kid(2) });
  await expect(ring.tables.transact(recordResigned(issuance(1), kid(9)))).rejects.toMatchObject({
    code: 'ERR_CONDITION_FAILED',
  });
});

test('a token is re-signed once; the second run is refused and nothing is overwritten', async () => {
  const ring = await table();
  await ring.tables.transact(recordResigned(issuance(), kid(9)));
  const before = ring.tables.dump('bodies');
  await expect(ring.tables.transact(recordResigned(issuance(1, { outId: 'again' }), kid(9)))).rejects.toMatchObject({
    code: 'ERR_CONDITION_FAILED',
  });
  expect(ring.tables.dump('bodies')).toEqual(before);
});

test.each(['SUSPECT', 'DENIED', 'RETIRED'] as const)(
  'a legacy token is not recorded once its key is %s',
  async (state) => {
    const ring = await table();
    await ring.tables.transact([
      { kind: 'update', table: 'keys', key: { pk: 'RING#customer-api', sk: `KEY#${kid(9)}` }, set: { state } },
    ]);
    await expect(ring.tables.transact(recordAdopted(issuance(9)))).rejects.toMatchObject({
      code: 'ERR_CONDITION_FAILED',
    });
    expect(ring.tables.dump('ledger')).toEqual([]);
  },
);

test('the same jti under two kids is two tokens, and one is a version of the other only over the same payload', async () => {
  const ring = await table();
  await issueOnce(ring);
  await ring.tables.transact(recordAdopted(issuance(9)));
  const [one, other] = ring.tables.dump('ledger').map(LEDGER_ROW.parse);
  expect(one?.jtiH).toBe(other?.jtiH);
  expect(isVersionOf(one as never, other as never)).toBe(true);
  expect(isVersionOf(one as never, { payloadSha256: H('{}') })).toBe(false);
});

test('a subject that is also the actor and the client is checked once', () => {
  const writes: Write[] = recordIssued(issuance(1, { blinded: ['b', 'b', 'b'] }));
  expect(writes.filter(({ table: name }) => name === 'cut-offs')).toHaveLength(1);
});

test('a stored body that does not hold a signature gives no token', () => {
  const body: Body = { state: 'SIGNED', protected: 'e30', payload: 'e30', signature: 'c2ln', exp: NOW, ttl: NOW };
  expect(tokenOf(body).token).toBe('e30.e30.c2ln');
  for (const odd of [
    { ...body, state: 'INTENT' as const },
    { ...body, signature: '' },
    { ...body, signature: undefined },
    { ...body, signature: 'c2ln=' },
    { ...body, payload: 'e3 0' },
  ])
    expect(() => tokenOf(odd)).toThrow(
      expect.objectContaining({ code: 'ERR_NOT_FOUND', message: 'the token was never signed' }),
    );
});

describe('shards', () => {
  test('64 shards are the first letter of H(jti)', () => {
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    for (let n = 0; n < 500; n++)
      expect(shardOf(jtiHash(`j-${n}`), 64)).toBe(letters.indexOf(jtiHash(`j-${n}`)[0] ?? ''));
  });

  test('every power of two up to 256 spreads evenly and stays in range', () => {
    for (const shards of [1, 2, 64, 256]) {
      const seen = new Map<number, number>();
      for (let n = 0; n < 4096; n++) {
        const shard = shardOf(jtiHash(String(n)), shards);
        seen.set(shard, (seen.get(shard) ?? 0) + 1);
      }
      expect(seen.size).toBe(shards);
      expect([Math.min(...seen.keys()), Math.max(...seen.keys())]).toEqual([0, shards - 1]);
    }
  });

  test('one token has one place', () => {
    expect(LEDGER_ROW.key({ kid: 'k', shards: 64 }, jtiHash('j'))).toEqual({
      pk: expect.stringMatching(/^k#\d\d$/),
      sk: jtiHash('j'),
    });
  });
});

/** As a transition does it: in HEAD and in every gate. */
function setHead({ tables }: RingTable, set: { readonly [name: string]: string | boolean | number }) {
  const keys = [RING_HEAD.key('customer-api'), ...Array.from({ length: GATES }, (_, n) => GATE.key('customer-api', n))];
  return tables.transact(keys.map((key) => ({ kind: 'update', table: 'keys', key, set })));
}
