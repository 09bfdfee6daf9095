/** A ring in memory: every signing and evidence Lambda under its own rights, and what stands around them. */
import { type KeyObject, sign } from 'node:crypto';
import { append } from '../../lambdas/appender';
import { commitIssued } from '../../lambdas/committer';
import { cutOff } from '../../lambdas/cutter';
import { haltOrResume } from '../../lambdas/halt';
import { issue, issueOrProbe } from '../../lambdas/issuer';
import { publishFeed } from '../../lambdas/publisher';
import { recordLegacy } from '../../lambdas/recorder';
import { resignBatch } from '../../lambdas/resigner';
import { applyRingConfig } from '../../lambdas/ring-deployer';
import { rotate } from '../../lambdas/rotator';
import { sequence } from '../../lambdas/sequencer';
import { taintOrDeny } from '../../lambdas/taint';
import { wasIssued } from '../../lambdas/was-issued';
import { wellKnown } from '../../lambdas/well-known';
import { base64url } from '../../lib/domain/base/encoding';
import { discoveryUrlOf } from '../../lib/domain/feed/publication';
import { jwkFromSpki, type PublicJwk } from '../../lib/domain/jose/jwk';
import { fromDer } from '../../lib/domain/jose/signature';
import type { Ring } from '../../lib/domain/rings/ring';
import type { TaintTarget } from '../../lib/domain/rings/taint';
import type { WaveBatch } from '../../lib/domain/tokens/wave';
import { MILD, Weather } from '../../lib/local/weather';
import { World, type WorldOptions } from '../../lib/local/world';
import { createVerifier, type VerifierOptions } from '../../lib/verifier';
import { relay } from '../../lib/work/evidence/relay';
import { loadRing } from '../../lib/work/rings/load-ring';
import { signingKey } from '../support/keys';
import { TEST_SEED } from '../support/seeded';

export const RING = 'customer-api';
export const ISSUER = 'https://id.shop.example/r/customer-api';
export const AUDIENCE = 'https://api.shop.example';
export const NOW = 1_800_000_000;
export const SETTINGS = { propagationSeconds: 10, verifierCacheSeconds: 60, collectGraceSeconds: 0 };

export interface SigningWorld extends World {
  readonly legacy: { readonly jwk: PublicJwk; readonly privateKey: KeyObject };
}

/** A world of its own kind: one whose ports somebody watches, say. */
export type MakeWorld = (options: WorldOptions) => World;

/** AWS as it never is: for tests that compare every second of what is shown. */
export const calmly: MakeWorld = (given) => new World(given);

/** AWS as it is on a good day: what a host of KMS has not heard of yet, a put that meets another, a clock that is off. */
export const mildly: MakeWorld = (given) => new World({ weather: new Weather(`${TEST_SEED}`, MILD), ...given });

/** A deployment whose ring is born; the clock then stands past the STANDBYs' publication. */
export async function signingWorld(options: WorldOptions = {}, make: MakeWorld = mildly): Promise<SigningWorld> {
  const world = wire(make({ now: NOW, settings: SETTINGS, ...options }));
  // The owner of the issuer's name lets it lead to the ring: a client that discovers starts there.
  const { publicBaseUrl } = world.config;
  world.http.route(discoveryUrlOf(ISSUER), () => world.http.get(discoveryUrlOf(`${publicBaseUrl}/r/${RING}`)));
  const { jwk, privateKey } = signingKey();
  const legacy = { jwk, verifyUntil: NOW + 90 * 86_400, approver: 'CHG-7' };
  await applyRingConfig(
    {
      id: RING,
      issuer: ISSUER,
      audience: AUDIENCE,
      algorithm: 'ES256',
      periodSeconds: 30 * 86_400,
      maxTtlSeconds: 3600,
      legacyKeys: [legacy],
    },
    world.deps('ring-deployer'),
  );
  // Born with its first key; what a slow host of KMS kept back of the others, the first tick does.
  await rotate({ op: 'tick', ring: RING }, world.deps('rotator'));
  world.clock.advance(SETTINGS.propagationSeconds + SETTINGS.verifierCacheSeconds);
  // The clock of whoever acts next may be behind.
  if (world.weather.isRough) world.clock.advance(5);
  return Object.assign(world, { legacy: { jwk, privateKey } });
}

export function wire(world: World): World {
  world.functions.register('issuer', (request) => issueOrProbe(request, world.deps('issuer')));
  world.functions.register('publisher', (request) => publishFeed(request, world.deps('publisher')));
  world.functions.register('appender', (request) => append(request, world.deps('appender')));
  world.functions.register('sequencer', (request) => sequence(request, world.deps('sequencer')));
  world.functions.register('rotator', (request) => rotate(request, world.deps('rotator')));
  world.functions.register('taint', (request) => taintOrDeny(request, world.deps('taint')));
  world.functions.register('halt', (request) => haltOrResume(request, world.deps('halt')));
  world.functions.register('cutter', (request) => cutOff(request, world.deps('cutter')));
  world.functions.register('committer', (request) => commitIssued(request, world.deps('committer')));
  world.functions.register('resigner', (request) => resignBatch(request, world.deps('resigner')));
  world.functions.register('recorder', (request) => recordLegacy(request, world.deps('recorder')));
  const base = world.config.publicBaseUrl ?? '';
  world.http.route(`${base}/r/`, async (url) => {
    const { statusCode = 500, body = '' } = await wellKnown(url.slice(base.length), world.deps('well-known'));
    return { status: statusCode, body };
  });
  world.http.route(`${base}/issued/`, async (url) => {
    const [kid = '', jtiH = '', digest = ''] = url.slice(`${base}/issued/`.length).split('/');
    return {
      status: 200,
      body: JSON.stringify({ issued: await wasIssued(kid, jtiH, digest, world.deps('was-issued')) }),
    };
  });
  return world;
}

export async function issueTo(world: World, sub: string, more: object = {}): Promise<string> {
  return (
    await issue(
      { op: 'issue', ring: RING, claims: { sub, client_id: 'web', ...more }, callerArn: 'arn:test' },
      world.deps('issuer'),
    )
  ).token;
}

/** What whoever holds the PEM can sign: any claims, well. */
export function signLegacy({ legacy }: SigningWorld, claims: object, header: object = {}): string {
  const input = `${base64url(JSON.stringify({ alg: 'ES256', kid: legacy.jwk.kid, typ: 'at+jwt', ...header }))}.${base64url(JSON.stringify(claims))}`;
  return `${input}.${base64url(fromDer(sign('sha256', Buffer.from(input), legacy.privateKey), 32))}`;
}

export function legacyClaims(world: World, sub: string, jti: string, more: object = {}): object {
  const now = world.clock.now();
  return { iss: ISSUER, aud: AUDIENCE, sub, client_id: 'web', jti, iat: now - 60, exp: now + 3000, ...more };
}

export async function record(world: World, tokens: readonly string[]) {
  return recordLegacy({ ring: RING, tokens }, world.deps('recorder'));
}

export async function ringOf(world: World): Promise<Ring> {
  return loadRing({ tables: world.tables.parsed }, RING);
}

export async function taintKeys(world: World, targets: readonly TaintTarget[], caseId = 'c-test') {
  const { kid: successor } = await rotate({ op: 'prepare', ring: RING }, world.deps('rotator'));
  const tainted = await taintOrDeny({ op: 'taint', ring: RING, targets, successor, caseId }, world.deps('taint'));
  await publishFeed({ ring: RING }, world.deps('publisher'));
  return tainted;
}

export async function pass(world: World, batches: readonly WaveBatch[], n: number) {
  const counts = [];
  for (const batch of batches) counts.push(await resignBatch({ ...batch, pass: n }, world.deps('resigner')));
  return {
    found: counts.reduce((sum, { found }) => sum + found, 0),
    resigned: counts.reduce((sum, { resigned }) => sum + resigned, 0),
  };
}

export async function drainOutbox(world: World): Promise<void> {
  for (const table of ['keys', 'cut-offs'] as const)
    await relay(world.tables.takeStream(table), world.deps('outbox-signing'));
}

export async function verifierOf(world: World, more: object = {}) {
  return createVerifier({ ...(await verifierOptionsOf(world)), ...more });
}

export async function verifierOptionsOf(world: World): Promise<VerifierOptions> {
  const feedJwk = jwkFromSpki(world.kms.publicKeyOf(world.config.feedKeyArn ?? ''), 'ES256');
  const [pepper = ''] = await world.secrets.values('pepper');
  return {
    ring: RING,
    issuer: ISSUER,
    audience: AUDIENCE,
    publicBaseUrl: world.config.publicBaseUrl ?? '',
    feedKeys: [feedJwk],
    pepper,
    maxTtlSeconds: 3600,
    now: () => world.clock.now(),
    fetchText: async (url) => {
      const { status, body } = await world.http.get(url);
      if (status !== 200) throw new Error(String(status));
      return body;
    },
  };
}
