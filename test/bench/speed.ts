/** Speeds, told only against a peer in the same run: what this machine does in a second says nothing of yours. */
import { sign } from 'node:crypto';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { toJws } from '../../lib/domain/jose/signature';
import { signingKey } from '../support/keys';
import { Published } from '../support/published';
import { CFG } from '../support/rings';
import type { Row } from './scoreboard';

const ROUNDS = 15;
const CALLS = 400;

export async function speedRows(): Promise<Row[]> {
  const published = new Published();
  published.publish();
  const verifier = published.verifier();
  const token = published.token();
  const jwks = createLocalJWKSet({ keys: [{ ...published.key.jwk }] });
  const expected = { issuer: CFG.iss, audience: CFG.aud, typ: 'at+jwt', currentDate: new Date(published.now * 1000) };
  const verify = await ratioOf(
    () => verifier.verify(token),
    () => jwtVerify(token, jwks, expected),
  );

  const { privateKey } = signingKey();
  const input = Buffer.from(token.slice(0, token.lastIndexOf('.')));
  const der = await ratioOf(
    async () => toJws('ES256', sign('sha256', input, { key: privateKey, dsaEncoding: 'der' })),
    async () => sign('sha256', input, { key: privateKey, dsaEncoding: 'ieee-p1363' }),
  );
  return [
    row('V', 'verify with feed, windows and cut-offs', 'jose jwtVerify, local JWKS', verify, 2),
    row('S', 'sign as DER, convert, low-S', 'node:crypto ieee-p1363', der, 1.5),
  ];
}

function row(id: string, what: string, peer: string, ratio: number, atMost: number): Row {
  return {
    id,
    what,
    figure: `${ratio.toFixed(2)} of the peer's time`,
    goal: `<= ${atMost}`,
    peer,
    ok: ratio <= atMost,
  };
}

/** Median of the rounds, each of which gives both their turn. */
async function ratioOf(ours: () => Promise<unknown>, peers: () => Promise<unknown>): Promise<number> {
  const ratios: number[] = [];
  for (let round = 0; round < ROUNDS; round++) ratios.push((await timeOf(ours)) / (await timeOf(peers)));
  return ratios.sort((a, b) => a - b)[ROUNDS >> 1] as number;
}

async function timeOf(call: () => Promise<unknown>): Promise<number> {
  const from = process.hrtime.bigint();
  for (let n = 0; n < CALLS; n++) await call();
  return Number(process.hrtime.bigint() - from);
}
