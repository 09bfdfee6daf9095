/** Rings as values: what `planRotation`, the transitions and the feed are asked about, without tables or KMS. */

import type { RingSettings } from '../../lib/domain/rings/configuration';
import type { KeyRecord, Ring } from '../../lib/domain/rings/ring';
import { type SigningKey, signingKey } from './keys';

export const NOW = 1_800_000_000;
export const DAY = 86_400;

export const CFG: RingSettings = {
  alg: 'ES256',
  iss: 'https://id.shop.example/r/customer-api',
  aud: 'https://api.shop.example',
  periodSeconds: 30 * DAY,
  maxTtlSeconds: 3600,
  propagationSeconds: 10,
  cacheSeconds: 60,
  skewSeconds: 30,
  drainSeconds: 15,
  feedPollSeconds: 5,
};

const pool: SigningKey[] = [];

/** The n-th key pair of this test file: made once, for making is what takes time. */
export function poolKey(n: number): SigningKey {
  pool[n] ??= signingKey();
  return pool[n];
}

/** A KMS key of the ring as born at NOW; `slot` also picks its key pair. */
export function keyRecord(slot: number, more: Partial<KeyRecord> = {}): KeyRecord {
  const { jwk } = poolKey(slot);
  const signUntil = NOW + 93 * DAY;
  return {
    kid: jwk.kid,
    state: 'STANDBY',
    kind: 'kms',
    kmsKeyArn: `arn:aws:kms:us-east-1:000000000000:key/${slot}`,
    alg: 'ES256',
    jwk,
    slot,
    shards: 64,
    bornAt: NOW,
    confirmedAt: NOW,
    signUntil,
    verifyUntil: signUntil + CFG.maxTtlSeconds + CFG.skewSeconds,
    windows: [],
    inJwks: true,
    kmsState: 'Disabled',
    ...more,
  };
}

export function activeRecord(slot: number, more: Partial<KeyRecord> = {}): KeyRecord {
  const born = keyRecord(slot);
  const windows = [{ iatFrom: NOW, iatTo: born.signUntil }];
  return { ...born, state: 'ACTIVE', kmsState: 'Enabled', activatedAt: NOW, windows, ...more };
}

/** One ACTIVE and two STANDBYs, as birth leaves them; `keys` replaces them. */
export function ringWith(more: Partial<Ring> = {}): Ring {
  const keys = more.keys ?? [activeRecord(1), keyRecord(2), keyRecord(3)];
  return {
    id: 'customer-api',
    activations: 1,
    fence: 7,
    activeKid: keys.find(({ state }) => state === 'ACTIVE')?.kid,
    halted: false,
    cfg: CFG,
    cfgSha: 'sha',
    slots: keys.map(({ slot, bornAt, signUntil }) => ({ slot, nonce: 'n', state: 'ADOPTED', at: bornAt, signUntil })),
    waves: [],
    ...more,
    keys,
  };
}
