/** The re-sign path as an oracle: whatever is presented or planted, no genuine token is minted that was not issued before. */

import { commitIssued } from '../../lambdas/committer';
import { cutOff } from '../../lambdas/cutter';
import { exchange } from '../../lambdas/exchange';
import { resignBatch } from '../../lambdas/resigner';
import { applyRingConfig } from '../../lambdas/ring-deployer';
import { taintOrDeny } from '../../lambdas/taint';
import { H } from '../../lib/domain/base/encoding';
import type { TaintTarget } from '../../lib/domain/rings/taint';
import type { Row, Value } from '../../lib/domain/store/table';
import type { SubjectType } from '../../lib/domain/tokens/claims';
import type { WaveBatch } from '../../lib/domain/tokens/wave';
import { signingKey, withOtherS } from '../support/keys';
import {
  calmly,
  issueTo,
  legacyClaims,
  type MakeWorld,
  pass,
  RING,
  record,
  ringOf,
  type SigningWorld,
  signingWorld,
  signLegacy,
  taintKeys,
  verifierOf,
} from './signing-world';

const compromise = (kid: string): TaintTarget => ({ kid, class: 'compromise', reason: 'copied-possible' });

/** One taint of the legacy key, both passes, and what the passes counted. */
async function wave(world: SigningWorld, between: () => Promise<unknown> = async () => undefined) {
  const { batches } = await taintKeys(world, [compromise(world.legacy.jwk.kid)]);
  await between();
  const first = await counts(world, batches, 1);
  world.clock.advance(world.config.settings.drainSeconds);
  await pass(world, batches, 2);
  return { batches, ...first };
}

async function counts(world: SigningWorld, batches: readonly WaveBatch[], n: number) {
  let resigned = 0;
  const excluded: Record<string, number> = {};
  for (const batch of batches) {
    const counted = await resignBatch({ ...batch, pass: n }, world.deps('resigner'));
    resigned += counted.resigned;
    for (const [why, times] of Object.entries(counted.excluded)) excluded[why] = (excluded[why] ?? 0) + times;
  }
  return { resigned, excluded };
}

function tradeIn(world: SigningWorld, token: string): Promise<string> {
  const form = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: token,
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  });
  return exchange(RING, form.toString(), world.deps('exchange')).then(
    (answer) => (answer as { access_token: string }).access_token,
  );
}

const refused = expect.objectContaining({ code: 'ERR_EXCHANGE_REFUSED', message: 'the token cannot be exchanged' });
const minted = (world: SigningWorld) => world.tables.dump('ledger').filter(({ resignOf }) => resignOf !== undefined);
const payloadOf = (token: string) => token.split('.')[1];
const cut = (world: SigningWorld, type: SubjectType, value: string) =>
  cutOff(
    { ring: RING, subjects: [{ type, value }], caseId: 'c-1', notBefore: world.clock.now() },
    world.deps('cutter'),
  );

/** Changes one stored item of a table, as someone with write access to it could. */
async function tamper(
  world: SigningWorld,
  table: 'ledger' | 'bodies',
  change: (item: Row) => { readonly [name: string]: Value },
) {
  const [item] = world.tables.dump(table).filter(({ pk }) => pk.startsWith(world.legacy.jwk.kid));
  if (!item) throw new Error(`nothing in ${table}`);
  await world.tables.transact([{ kind: 'update', table, key: { pk: item.pk, sk: item.sk }, set: change(item) }]);
}

async function withOneRecorded(
  sub = 'member-1',
  more: object = {},
  make?: MakeWorld,
): Promise<{ world: SigningWorld; genuine: string }> {
  const world = await signingWorld({}, make);
  const genuine = signLegacy(world, legacyClaims(world, sub, 'jti-1', more));
  expect(await record(world, [genuine])).toEqual({ recorded: 1, refused: [] });
  await commitIssued({}, world.deps('committer'));
  return { world, genuine };
}

test('of a thousand forgeries, alterations and others’ jti not one is traded in, and each looks like any other refusal', async () => {
  const { world, genuine } = await withOneRecorded();
  const { resigned, excluded } = await wave(world);
  expect([resigned, excluded]).toEqual([1, {}]);
  world.clock.advance(10);
  const [header = '', payload = '', signature = ''] = genuine.split('.');
  const stranger = signingKey();
  const claims = (n: number, more: object = {}) => legacyClaims(world, `ghost-${n}`, `forged-${n}`, more);
  const attempts = [
    ...Array.from({ length: 960 }, (_, n) => signLegacy(world, claims(n))),
    ...Array.from({ length: 20 }, (_, n) => signLegacy(world, legacyClaims(world, `ghost-${n}`, 'jti-1'))),
    ...Array.from({ length: 20 }, () => signLegacy(world, JSON.parse(Buffer.from(payload, 'base64url').toString()))),
    withOtherS(genuine),
    `${genuine}=`,
    ` ${genuine}`,
    `${header}.${payload}.`,
    `${header}.${payload}.${signature.slice(0, -1)}`,
    `${header}..${signature}`,
    signLegacy(world, JSON.parse(Buffer.from(payload, 'base64url').toString()), { typ: 'JWT' }),
    signLegacy({ ...world, legacy: stranger } as SigningWorld, claims(0)),
    signLegacy({ ...world, legacy: { ...stranger, jwk: world.legacy.jwk } } as SigningWorld, claims(0)),
    signLegacy(world, claims(1), { crit: ['exp'] }),
    signLegacy(world, { ...claims(2), jti: { toString: 'jti-1' } }),
    signLegacy(world, { ...claims(2), jti: null }),
    signLegacy(world, [] as object),
    genuine.repeat(40),
    '',
    'a.b.c',
  ];
  expect(attempts.length).toBeGreaterThanOrEqual(1000);
  for (const token of attempts) await expect(tradeIn(world, token)).rejects.toEqual(refused);
  expect(minted(world)).toHaveLength(1);
  expect(payloadOf(await tradeIn(world, genuine))).toBe(payload);
});

test.each<[string, SubjectType, string]>([
  ['the subject', 'sub', 'member-1'],
  ['an actor', 'act', 'agent'],
  ['the client', 'client', 'web'],
])('a token whose %s was cut off is counted, not re-signed, and not traded in', async (_who, type, value) => {
  const { world, genuine } = await withOneRecorded('member-1', { act: { sub: 'agent' } });
  await cut(world, type, value);
  expect(await wave(world)).toMatchObject({ resigned: 0, excluded: { 'cut-off': 1 } });
  await expect(tradeIn(world, genuine)).rejects.toEqual(refused);
  expect(minted(world)).toEqual([]);
});

test('a leaver cut off after the wave cannot collect what was re-signed, and no verifier accepts it', async () => {
  const { world, genuine } = await withOneRecorded('worker-1');
  await wave(world);
  world.clock.advance(10);
  const collected = await tradeIn(world, genuine);
  await cut(world, 'sub', 'worker-1');
  await world.functions.invoke('publisher', { ring: RING });
  await expect(tradeIn(world, genuine)).rejects.toEqual(refused);
  await expect((await verifierOf(world)).verify(collected)).rejects.toMatchObject({ code: 'ERR_TOKEN_CUT_OFF' });
});

test('a subject cut off between the look and the signature is not re-signed', async () => {
  const { world } = await withOneRecorded('worker-1');
  const { batches } = await taintKeys(world, [compromise(world.legacy.jwk.kid)]);
  const deps = world.deps('resigner');
  const signer = {
    ...deps.signer,
    sign: async (...request: Parameters<typeof deps.signer.sign>) => {
      await cut(world, 'sub', 'worker-1');
      return deps.signer.sign(...request);
    },
  };
  const excluded: Record<string, number>[] = [];
  for (const batch of batches)
    excluded.push({ ...(await resignBatch({ ...batch, pass: 1 }, { ...deps, signer })).excluded });
  expect(Object.assign({}, ...excluded)).toEqual({ 'cut-off': 1 });
  expect(minted(world)).toEqual([]);
});

test('replays and races of one trade-in give one and the same token', async () => {
  const { world, genuine } = await withOneRecorded();
  await wave(world);
  world.clock.advance(10);
  const answers = await Promise.all(Array.from({ length: 50 }, () => tradeIn(world, genuine)));
  expect(new Set(answers).size).toBe(1);
  expect(minted(world)).toHaveLength(1);
});

test('two runs of a batch at once re-sign each token once, and both count it', async () => {
  const { world } = await withOneRecorded();
  const { batches } = await taintKeys(world, [compromise(world.legacy.jwk.kid)]);
  await Promise.all([counts(world, batches, 1), counts(world, batches, 1)]);
  expect(minted(world)).toHaveLength(1);
});

test.each<[string, 'ledger' | 'bodies', (item: Row, world: SigningWorld) => { readonly [name: string]: Value }]>([
  ['a body with another payload', 'bodies', () => ({ payload: Buffer.from('{"sub":"ghost"}').toString('base64url') })],
  [
    'a body with another header',
    'bodies',
    () => ({ protected: Buffer.from('{"alg":"ES256","kid":"x","typ":"at+jwt"}').toString('base64url') }),
  ],
  ['a body with another signature', 'bodies', () => ({ signature: Buffer.alloc(64, 7).toString('base64url') })],
  ['a row with another payload digest', 'ledger', () => ({ payloadSha256: H('other') })],
  ['a row with a later exp', 'ledger', ({ exp }) => ({ exp: (exp as number) + 86_400 })],
  ['a row with a later iat', 'ledger', ({ iat }) => ({ iat: (iat as number) + 1 })],
])('%s is poison: counted, never signed', async (_what, table, change) => {
  const { world, genuine } = await withOneRecorded();
  await tamper(world, table, (item) => change(item, world));
  expect(await wave(world)).toMatchObject({ resigned: 0, excluded: { poison: 1 } });
  world.clock.advance(10);
  await expect(tradeIn(world, genuine)).rejects.toEqual(refused);
});

test('a body altered to hold a forgery, with a row altered to match it, is in no committed list', async () => {
  const { world } = await withOneRecorded();
  const forged = signLegacy(world, legacyClaims(world, 'ghost', 'jti-1'));
  const [protectedPart = '', payload = '', signature = ''] = forged.split('.');
  await tamper(world, 'bodies', () => ({ protected: protectedPart, payload, signature }));
  await tamper(world, 'ledger', () => ({
    tokenSha256: H(forged),
    payloadSha256: H(Buffer.from(payload, 'base64url')),
  }));
  expect(await wave(world)).toMatchObject({ resigned: 0, excluded: { uncommitted: 1 } });
  await expect(tradeIn(world, forged)).rejects.toEqual(refused);
});

test('a row under another kid than the wave’s is not read, and one over its time is only counted', async () => {
  const { world } = await withOneRecorded();
  const fromRing = await issueTo(world, 'member-2');
  const short = signLegacy(world, legacyClaims(world, 'member-3', 'jti-3', { exp: world.clock.now() + 29 }));
  await record(world, [short]);
  await commitIssued({}, world.deps('committer'));
  expect(await wave(world)).toMatchObject({ resigned: 1, excluded: { expired: 1 } });
  world.clock.advance(10);
  await expect(tradeIn(world, fromRing)).rejects.toEqual(refused);
  await expect(tradeIn(world, short)).rejects.toEqual(refused);
});

test('a token recorded after the taint, or dated after the drain, is not in the wave', async () => {
  // By the second: a taint that KMS keeps waiting comes after the date of the other token.
  const { world } = await withOneRecorded('member-1', {}, calmly);
  const late = signLegacy(world, legacyClaims(world, 'ghost', 'late'));
  const future = signLegacy(
    world,
    legacyClaims(world, 'ghost', 'future', { iat: world.clock.now() + 29, exp: world.clock.now() + 3000 }),
  );
  expect(await record(world, [future])).toMatchObject({ recorded: 1 });
  await commitIssued({}, world.deps('committer'));
  const counted = await wave(world, async () =>
    expect(await record(world, [late])).toEqual({ recorded: 0, refused: [{ n: 0, code: 'ERR_TOKEN_KID_STATE' }] }),
  );
  expect(counted).toMatchObject({ resigned: 1, excluded: { 'issued-after-taint': 1 } });
});

test('a holder is given a version of his own token only, though another issuer used the same jti', async () => {
  const world = await signingWorld();
  const other = signingKey();
  const config = {
    id: RING,
    issuer: 'https://id.shop.example/r/customer-api',
    audience: 'https://api.shop.example',
    algorithm: 'ES256',
    periodSeconds: 30 * 86_400,
    maxTtlSeconds: 3600,
  };
  const legacyKeys = [world.legacy, other].map(({ jwk }) => ({
    jwk,
    verifyUntil: world.clock.now() + 86_400,
    approver: 'CHG-7',
  }));
  await applyRingConfig({ ...config, legacyKeys }, world.deps('rotator'));
  const second = { ...world, legacy: other } as SigningWorld;
  const [mine, theirs] = [
    signLegacy(world, legacyClaims(world, 'alice', '42')),
    signLegacy(second, legacyClaims(world, 'bob', '42')),
  ];
  expect(await record(world, [mine, theirs])).toEqual({ recorded: 2, refused: [] });
  await commitIssued({}, world.deps('committer'));

  const { batches } = await taintKeys(world, [compromise(world.legacy.jwk.kid), compromise(other.jwk.kid)]);
  expect(await counts(world, batches, 1)).toEqual({ resigned: 1, excluded: { poison: 1 } });
  world.clock.advance(10);
  const outcomes = await Promise.allSettled([tradeIn(world, mine), tradeIn(world, theirs)]);
  const given = outcomes.flatMap((outcome, n) =>
    outcome.status === 'fulfilled' ? [[n, payloadOf(outcome.value)]] : [],
  );
  expect(given).toHaveLength(1);
  for (const [n, payload] of given) expect(payload).toBe(payloadOf([mine, theirs][n as number] as string));
});

test('a sender-constrained token is not traded in without its proof', async () => {
  const { world, genuine } = await withOneRecorded('member-1', { cnf: { jkt: 'x' } });
  await wave(world);
  world.clock.advance(10);
  await expect(tradeIn(world, genuine)).rejects.toEqual(refused);
});

test('a token of a key that nobody tainted is not traded in, whatever its state', async () => {
  const { world, genuine } = await withOneRecorded();
  const issued = await issueTo(world, 'member-2');
  for (const token of [genuine, issued]) await expect(tradeIn(world, token)).rejects.toEqual(refused);
  expect(minted(world)).toEqual([]);
});

test('another ring’s exchange knows nothing of it', async () => {
  const { world, genuine } = await withOneRecorded();
  await wave(world);
  world.clock.advance(10);
  const form = new URLSearchParams({ subject_token: genuine }).toString();
  for (const ring of ['other-ring', '', '../x'])
    await expect(exchange(ring, form, world.deps('exchange'))).rejects.toEqual(refused);
});

test('payload, jti, iat and exp survive a chain of two waves unchanged, and nothing outlives its exp', async () => {
  const { world, genuine } = await withOneRecorded();
  const { batches } = await wave(world);
  await taintOrDeny({ op: 'deny', ring: RING, kids: [world.legacy.jwk.kid] }, world.deps('taint'));
  expect(batches.length).toBeGreaterThan(0);
  const active = (await ringOf(world)).activeKid as string;
  world.clock.advance(100);
  await commitIssued({}, world.deps('committer'));
  const next = await taintKeys(world, [{ kid: active, class: 'planned', reason: 'could-deploy' }]);
  expect(await counts(world, next.batches, 1)).toMatchObject({ resigned: 1 });
  world.clock.advance(10);
  const newest = await tradeIn(world, genuine);
  expect(payloadOf(newest)).toBe(payloadOf(genuine));
  expect(new Set(world.tables.dump('ledger').map(({ exp, iat, sk }) => `${sk} ${iat} ${exp}`)).size).toBe(1);
  await expect((await verifierOf(world)).verify(newest)).resolves.toBeDefined();
  world.clock.advance(3600);
  await world.functions.invoke('publisher', { ring: RING });
  await expect((await verifierOf(world)).verify(newest)).rejects.toMatchObject({ code: 'ERR_TOKEN_EXPIRED' });
  await expect(tradeIn(world, genuine)).rejects.toEqual(refused);
});

describe('a wave costs a token life, not a key life', () => {
  test('lists committed before the oldest live token are not read', async () => {
    const world = await signingWorld();
    for (let n = 0; n < 20; n++) {
      await record(world, [signLegacy(world, legacyClaims(world, 'member-1', `old-${n}`))]);
      await commitIssued({}, world.deps('committer'));
      world.clock.advance(600);
    }
    world.clock.advance(3600);
    await record(world, [signLegacy(world, legacyClaims(world, 'member-1', 'young'))]);
    await commitIssued({}, world.deps('committer'));

    const { batches } = await taintKeys(world, [compromise(world.legacy.jwk.kid)]);
    const deps = world.deps('resigner');
    let read = 0;
    const objects = {
      ...deps.objects,
      get: (...at: Parameters<typeof deps.objects.get>) => {
        read++;
        return deps.objects.get(...at);
      },
    };
    const counted = [];
    for (const batch of batches) counted.push(await resignBatch({ ...batch, pass: 1 }, { ...deps, objects }));
    expect(counted.reduce((sum, { resigned }) => sum + resigned, 0)).toBe(1);
    expect(read).toBe(1);
  });

  test('a batch that was cut short goes on where it stopped, and a second pass that found something is made again', async () => {
    const { world } = await withOneRecorded();
    const { batches } = await taintKeys(world, [compromise(world.legacy.jwk.kid)]);
    const first = await counts(world, batches, 1);
    expect(await counts(world, batches, 1)).toEqual(first);
    expect(minted(world)).toHaveLength(1);

    const other = await withOneRecorded();
    const tainted = await taintKeys(other.world, [compromise(other.world.legacy.jwk.kid)]);
    expect((await counts(other.world, tainted.batches, 2)).resigned).toBe(1);
    expect((await counts(other.world, tainted.batches, 2)).resigned).toBe(0);
  });
});

test('a token that would be too large under the new key is refused at adoption', async () => {
  const world = await signingWorld();
  const large = signLegacy(world, legacyClaims(world, 'member-1', 'jti-1', { pad: 'x'.repeat(5800) }));
  expect(large.length).toBeLessThanOrEqual(8192);
  expect(await record(world, [large])).toEqual({ recorded: 0, refused: [{ n: 0, code: 'ERR_TOKEN_TOO_LARGE' }] });
});

test('a body that was put there without the key of its kid is poison, and holds up nobody else', async () => {
  const { world } = await withOneRecorded();
  const victim = signLegacy(world, legacyClaims(world, 'member-2', 'jti-2'));
  await record(world, [victim]);
  await commitIssued({}, world.deps('committer'));
  await tamper(world, 'bodies', () => ({ signature: 'AAAA' }));
  const { resigned, excluded } = await wave(world);
  expect({ resigned, excluded }).toEqual({ resigned: 1, excluded: { poison: 1 } });
});

test('a stronger taint of a SUSPECT key takes it out of the JWKS at once, with or without a case', async () => {
  const world = await signingWorld();
  const { kid, ...planned } = { ...compromise(world.legacy.jwk.kid), class: 'planned' } as const;
  await taintKeys(world, [{ kid, ...planned }], 'c-1');
  await taintOrDeny({ op: 'taint', ring: RING, targets: [compromise(kid)] }, world.deps('taint'));
  const key = (await ringOf(world)).keys.find((candidate) => candidate.kid === kid);
  expect(key).toMatchObject({ state: 'SUSPECT', inJwks: false, taint: { class: 'compromise', cases: ['c-1'] } });
});

test('a case that finds the key DENIED already is told in the evidence how that ended', async () => {
  const { world } = await withOneRecorded();
  const { batches } = await wave(world);
  const kid = world.legacy.jwk.kid;
  await taintOrDeny({ op: 'deny', ring: RING, kids: [kid] }, world.deps('taint'));
  expect(batches.length).toBeGreaterThan(0);
  await taintOrDeny({ op: 'taint', ring: RING, targets: [compromise(kid)], caseId: 'c-late' }, world.deps('taint'));
  const late = world.tables.dump('keys').flatMap(({ record }) => {
    const { type, case: of } = (record ?? {}) as { type?: string; case?: string };
    return of === 'c-late' ? [type] : [];
  });
  expect(late.sort()).toEqual(['key.denied', 'key.tainted', 'wave.completed']);
});
