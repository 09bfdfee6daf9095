/** Tokens of the story: those the company issued with its PEM, those the ring issues, and those W-1042 forges. */
import { type KeyObject, randomUUID, sign } from 'node:crypto';
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import { createRemoteJWKSet, customFetch, jwtVerify } from 'jose';
import { LOCAL_REGION } from '../emulator/emulator';
import { base64url } from '../lib/domain/base/encoding';
import { CurfewError, type ErrorCode } from '../lib/domain/base/errors';
import { fromDer } from '../lib/domain/jose/signature';
import type { Credentials } from './cast';
import { type Asker, patiently } from './patience';

/** A ring as its users see it. */
export interface Place {
  readonly ring: string;
  readonly issuer: string;
  readonly audience: string;
  readonly publicBaseUrl: string;
}

export interface Shop extends Place {
  readonly legacy: { readonly kid: string; readonly privateKey: KeyObject };
}

const LIFE_SECONDS = 3000;

/** What the PEM signs: for the company while it was the issuer, and for whoever kept a copy. */
export function signWithPem({ issuer, audience, legacy }: Shop, sub: string, now: number): string {
  const header = { alg: 'ES256', kid: legacy.kid, typ: 'at+jwt' };
  const claims = {
    iss: issuer,
    aud: audience,
    sub,
    client_id: 'web',
    jti: randomUUID(),
    iat: now - 30,
    exp: now + LIFE_SECONDS,
    scope: 'orders',
  };
  const input = [header, claims].map((part) => base64url(JSON.stringify(part))).join('.');
  return `${input}.${base64url(fromDer(sign('sha256', Buffer.from(input), legacy.privateKey), 32))}`;
}

/** POST /r/{ring}/issue, signed as the shop's back end. */
export async function issue(
  { ring, publicBaseUrl }: Place,
  as: Credentials,
  sub: string,
  lifeSeconds = LIFE_SECONDS,
  ask: Asker = patiently,
): Promise<string> {
  const url = new URL(`${publicBaseUrl}/r/${ring}/issue`);
  const body = JSON.stringify({ sub, client_id: 'web', scope: 'orders', lifeSeconds });
  const signer = new SignatureV4({ service: 'execute-api', region: LOCAL_REGION, credentials: as, sha256: Sha256 });
  const request = {
    method: 'POST',
    protocol: url.protocol,
    hostname: url.hostname,
    port: Number(url.port),
    path: url.pathname,
    query: {},
    body,
  };
  const headers = { host: url.host, 'content-type': 'application/json' };
  const response = await ask('the issue endpoint', async () => {
    const signed = await signer.sign({ ...request, headers });
    return fetch(url, { method: 'POST', headers: signed.headers, body });
  });
  const answer = (await response.json()) as { token?: string; code?: ErrorCode; message?: string };
  if (response.status === 200 && answer.token) return answer.token;
  throw new CurfewError(answer.code ?? 'ERR_UNAVAILABLE', answer.message ?? `issue answered ${response.status}`);
}

export async function exchange({ ring, publicBaseUrl }: Place, token: string): Promise<string> {
  const form = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: token,
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  });
  const url = `${publicBaseUrl}/r/${ring}/exchange`;
  const response = await patiently('the exchange', () => fetch(url, { method: 'POST', body: form }));
  const answer = (await response.json()) as { access_token?: string; error?: string };
  if (answer.access_token) return answer.access_token;
  throw Object.assign(new Error('not exchanged'), { code: answer.error ?? String(response.status) });
}

/** jose's own 5 s would end `patiently` half-way, on a machine that starts twenty Lambdas at once. */
const FETCH_MS = 30_000;

/** A stock verifier: jose, with its defaults, on the published JWKS. A new one has an empty cache. How it fetches is ours. */
export function stockJose({ ring, issuer, audience, publicBaseUrl }: Place): (token: string) => Promise<unknown> {
  const jwks = createRemoteJWKSet(new URL(`${publicBaseUrl}/r/${ring}/.well-known/jwks.json`), {
    [customFetch]: (url, options) => patiently('the JWKS', () => fetch(url, options)),
    timeoutDuration: FETCH_MS,
  });
  return (token) => jwtVerify(token, jwks, { issuer, audience, typ: 'at+jwt' });
}

/** All of them, a few at a time: on the local AWS each that is under way has a process of its own, on the same cores. */
export async function inParallel<T, R>(all: readonly T[], effect: (one: T) => Promise<R>, atOnce = 4): Promise<R[]> {
  const results: R[] = new Array(all.length);
  let next = 0;
  const worker = async () => {
    for (let n = next++; n < all.length; n = next++) results[n] = await effect(all[n] as T);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, all.length) }, worker));
  return results;
}
