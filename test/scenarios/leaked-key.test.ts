/** The case Curfew is built from: a copied signing key, tainted, re-signed past and denied, all in memory. */
import { createLocalJWKSet, jwtVerify } from 'jose';
import { commitIssued } from '../../lambdas/committer';
import { cutOff } from '../../lambdas/cutter';
import { exchange } from '../../lambdas/exchange';
import { rotate } from '../../lambdas/rotator';
import { taintOrDeny } from '../../lambdas/taint';
import { jwksAt } from '../../lib/domain/feed/publication';
import type { WaveBatch } from '../../lib/domain/tokens/wave';
import { leakedKeyDrill } from '../support/leaked-key-drill';
import { POLL } from '../support/published';
import {
  AUDIENCE,
  ISSUER,
  issueTo,
  legacyClaims,
  pass,
  RING,
  record,
  ringOf,
  SETTINGS,
  type SigningWorld,
  signingWorld,
  signLegacy,
  taintKeys,
  verifierOf,
} from './signing-world';

async function joseVerify(world: SigningWorld, token: string) {
  const jwks = createLocalJWKSet(jwksAt(await ringOf(world), world.clock.now()) as never);
  return jwtVerify(token, jwks, {
    issuer: ISSUER,
    audience: AUDIENCE,
    typ: 'at+jwt',
    currentDate: new Date(world.clock.now() * 1000),
  });
}

const tradeIn = (world: SigningWorld, token: string) => {
  const form = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: token,
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  });
  return exchange(RING, form.toString(), world.deps('exchange')) as Promise<{ access_token: string }>;
};

const payloadOf = (token: string) => token.split('.')[1];

/** Runs both passes, the second after the drain, and denies. */
async function finishWave(world: SigningWorld, batches: readonly WaveBatch[]) {
  await commitIssued({}, world.deps('committer'));
  const first = await pass(world, batches, 1);
  world.clock.advance(world.config.settings.drainSeconds);
  const second = await pass(world, batches, 2);
  const kids = [...new Set(batches.map(({ fromKid }) => fromKid))];
  const denied = await taintOrDeny({ op: 'deny', ring: RING, kids }, world.deps('taint'));
  const finished = await rotate({ op: 'disable-old', ring: RING }, world.deps('rotator'));
  await world.functions.invoke('publisher', { ring: RING });
  return { first, second, denied, finished };
}

test('a ring is born with one ACTIVE and two STANDBY keys, and only the ACTIVE one is enabled', async () => {
  const world = await signingWorld();
  const ring = await ringOf(world);

  expect(ring.keys.filter(({ kind }) => kind === 'kms').map(({ state, kmsState }) => [state, kmsState])).toEqual([
    ['ACTIVE', 'Enabled'],
    ['STANDBY', 'Disabled'],
    ['STANDBY', 'Disabled'],
  ]);
  expect(ring.keys.find(({ kind }) => kind === 'legacy')?.state).toBe('OBSERVED');
  expect(ring.keys.every(({ confirmedAt }) => confirmedAt !== undefined)).toBe(true);
});

test('an issued token is accepted by stock jose and by our verifier', async () => {
  const world = await signingWorld();
  const token = await issueTo(world, 'member-1', { scope: 'orders' });

  expect((await joseVerify(world, token)).payload.sub).toBe('member-1');
  expect((await (await verifierOf(world)).verify(token)).claims.sub).toBe('member-1');
});

test('a forgery is accepted before the taint, refused while SUSPECT, refused after, and never laundered', async () => {
  const world = await signingWorld();
  const genuine = signLegacy(world, legacyClaims(world, 'member-1', 'jti-1'));
  const forgeries = [
    signLegacy(world, legacyClaims(world, 'member-1', 'forged-1')),
    signLegacy(world, legacyClaims(world, 'no-such-member', 'forged-2')),
    signLegacy(world, legacyClaims(world, 'member-1', 'jti-1')),
  ];
  await record(world, [genuine]);
  const verifier = await verifierOf(world);
  for (const token of [genuine, ...forgeries]) {
    await expect(joseVerify(world, token)).resolves.toBeDefined();
    await expect(verifier.verify(token)).resolves.toBeDefined();
  }

  world.clock.advance(10);
  const { batches } = await taintKeys(world, [
    { kid: world.legacy.jwk.kid, class: 'compromise', reason: 'copied-possible' },
  ]);
  await expect(verifier.verify(genuine)).resolves.toBeDefined();
  for (const token of forgeries)
    await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'ERR_TOKEN_NOT_ISSUED' });
  await expect(joseVerify(world, genuine)).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });

  const { first, second, denied } = await finishWave(world, batches);
  expect([first, second]).toEqual([
    { found: 1, resigned: 1 },
    { found: 0, resigned: 0 },
  ]);
  expect(denied.states).toEqual([{ kid: world.legacy.jwk.kid, state: 'DENIED' }]);
  world.clock.advance(10);
  for (const token of [genuine, ...forgeries])
    await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'ERR_TOKEN_KID_STATE' });

  const { access_token } = await tradeIn(world, genuine);
  expect(payloadOf(access_token)).toBe(payloadOf(genuine));
  await expect(joseVerify(world, access_token)).resolves.toBeDefined();
  await expect(verifier.verify(access_token)).resolves.toBeDefined();
  expect((await tradeIn(world, genuine)).access_token).toBe(access_token);
  for (const token of forgeries)
    await expect(tradeIn(world, token)).rejects.toMatchObject({ code: 'ERR_EXCHANGE_REFUSED' });
});

test('a leaked key is refused within the poll once SUSPECT, its genuine tokens only once DENIED', async () => {
  const { forgedWhileSuspect, genuineOnceDenied, forgedAtStock, genuineRefused } = await leakedKeyDrill();
  expect(forgedWhileSuspect).toBeLessThanOrEqual(POLL);
  expect(genuineOnceDenied).toBeLessThanOrEqual(POLL);
  expect(forgedAtStock).toBeLessThanOrEqual(SETTINGS.verifierCacheSeconds);
  expect(genuineRefused).toBe(0);
  process.stdout.write(
    `leaked key: forgeries refused after ${forgedWhileSuspect} s, DENIED after ${genuineOnceDenied} s (poll ${POLL} s); ` +
      `by stock verifiers after ${forgedAtStock} s (cache ${SETTINGS.verifierCacheSeconds} s)\n`,
  );
});

test('both taints of one departure make one wave each, no token is re-signed twice, and the old key is disabled', async () => {
  const world = await signingWorld();
  const old = (await ringOf(world)).activeKid as string;
  const legacy = Array.from({ length: 20 }, (_, n) =>
    signLegacy(world, legacyClaims(world, `member-${n}`, `jti-${n}`)),
  );
  await record(world, legacy);
  const fromRing = [];
  for (let n = 0; n < 20; n++) fromRing.push(await issueTo(world, `member-${n}`));
  const leaver = await issueTo(world, 'worker-1');
  await cutOff(
    { ring: RING, subjects: [{ type: 'sub', value: 'worker-1' }], caseId: 'c-test', notBefore: world.clock.now() },
    world.deps('cutter'),
  );

  world.clock.advance(10);
  const { batches } = await taintKeys(world, [
    { kid: world.legacy.jwk.kid, class: 'compromise', reason: 'copied-possible' },
    { kid: old, class: 'planned', reason: 'could-deploy' },
  ]);
  expect((await ringOf(world)).activeKid).not.toBe(old);
  const { first, second, denied, finished } = await finishWave(world, batches);

  expect(first.resigned).toBe(40);
  expect(second.found).toBe(0);
  expect(denied.states.map(({ state }) => state)).toEqual(['DENIED', 'DENIED']);
  expect(finished.disabled).toEqual([{ kid: old, state: 'Disabled' }]);
  const versions = world.tables.dump('ledger').filter(({ resignOf }) => resignOf !== undefined);
  expect(new Set(versions.map(({ sk }) => sk)).size).toBe(40);
  expect(versions).toHaveLength(40);

  world.clock.advance(10);
  const verifier = await verifierOf(world);
  for (const token of [...legacy, ...fromRing]) {
    const { access_token } = await tradeIn(world, token);
    await expect(verifier.verify(access_token)).resolves.toBeDefined();
  }
  await expect(tradeIn(world, leaver)).rejects.toMatchObject({ code: 'ERR_EXCHANGE_REFUSED' });
  await expect(issueTo(world, 'worker-1')).rejects.toMatchObject({ code: 'ERR_SUBJECT_BLOCKED' });
});

test('a row put into the ledger behind our back is never re-signed', async () => {
  const world = await signingWorld();
  const genuine = signLegacy(world, legacyClaims(world, 'member-1', 'jti-1'));
  await record(world, [genuine]);
  await commitIssued({}, world.deps('committer'));
  const planted = signLegacy(world, legacyClaims(world, 'ghost', 'jti-2'));
  await record(world, [planted]);
  for (const { pk, sk } of world.tables.dump('markers'))
    await world.tables.transact([{ kind: 'delete', table: 'markers', key: { pk, sk } }]);

  const { batches } = await taintKeys(world, [
    { kid: world.legacy.jwk.kid, class: 'compromise', reason: 'copied-possible' },
  ]);
  const { first } = await finishWave(world, batches);

  expect(first).toEqual({ found: 1, resigned: 1 });
  await expect(tradeIn(world, planted)).rejects.toMatchObject({ code: 'ERR_EXCHANGE_REFUSED' });
});

test('once a legacy key is tainted, its tokens cannot be recorded any more', async () => {
  const world = await signingWorld();
  await taintKeys(world, [{ kid: world.legacy.jwk.kid, class: 'compromise', reason: 'copied-possible' }]);
  const late = signLegacy(world, legacyClaims(world, 'ghost', 'late'));
  expect(await record(world, [late])).toEqual({ recorded: 0, refused: [{ n: 0, code: 'ERR_TOKEN_KID_STATE' }] });
});

test('two taints of one key are one wave that both cases join', async () => {
  const world = await signingWorld();
  const target = { kid: world.legacy.jwk.kid, class: 'compromise', reason: 'copied-possible' } as const;
  await taintKeys(world, [target], 'c-1');
  await taintKeys(world, [target], 'c-2');
  const ring = await ringOf(world);
  expect(ring.waves).toHaveLength(1);
  expect(ring.keys.find(({ kid }) => kid === target.kid)?.taint?.cases).toEqual(['c-1', 'c-2']);
});

test('a compromise taint without anybody to replace it with is refused, and nothing changes', async () => {
  const world = await signingWorld();
  const kid = (await ringOf(world)).activeKid as string;
  const before = world.tables.dump('keys');
  const taint = taintOrDeny(
    { op: 'taint', ring: RING, targets: [{ kid, class: 'compromise', reason: 'test' }] },
    world.deps('taint'),
  );
  await expect(taint).rejects.toMatchObject({
    code: 'ERR_KEY_STATE',
    message: `the taint of ACTIVE key ${kid} of ring ${RING} names no successor`,
  });
  expect(world.tables.dump('keys')).toEqual(before);
});
