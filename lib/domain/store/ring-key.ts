/**
 * The keys of a ring and the slots that they are born into, in table `keys`.
 *
 *     RING#{ring} | KEY#{kid}          state kind kmsKeyArn? alg jwk slot shards bornAt … windows inJwks taint? …
 *     RING#{ring} | SLOT#{000004}      slot state at nonce signUntil kmsKeyArn? jwk? policySha256? …
 *     KID#{kid} | PTR                  ring                        keeps one kid from two rings
 */
import * as z from 'zod/mini';
import type { SigningAlgorithm } from '../jose/algorithm';
import type { PublicJwk } from '../jose/jwk';
import { entity, type Schema, shape } from './entity';
import { ringPartition } from './ring-head';
import { algorithm, flag, kid, publicJwk, text, whole } from './shapes';
import { ordered } from './table';

export const KEY_STATES = ['STANDBY', 'ACTIVE', 'VERIFY_ONLY', 'OBSERVED', 'SUSPECT', 'DENIED', 'RETIRED'] as const;
export type KeyState = (typeof KEY_STATES)[number];

/** Tokens under a kid were issued within one of its windows; a re-sign wave adds one, since iat is kept. */
export interface Window {
  readonly iatFrom: number;
  readonly iatTo: number;
  readonly wave?: string;
}

/** How far a taint goes: `compromise`, the key could have been copied; `planned`, a custodian with use of it left. */
export const TAINT_CLASSES = ['compromise', 'planned'] as const;
export type TaintClass = (typeof TAINT_CLASSES)[number];

interface Taint {
  readonly class: TaintClass;
  readonly reason: string;
  readonly at: number;
  readonly cases: readonly string[];
}

/**
 * What became of a key policy since it was written. `orphaned`: it names a role that was deleted, and nothing else
 * changed. `granted`: it is as written, and there is a KMS grant beside it. `unreadable`: we are not even let look.
 */
const POLICY_STATES = ['as-written', 'changed', 'orphaned', 'granted', 'unreadable'] as const;
export type PolicyState = (typeof POLICY_STATES)[number];

export interface KeyRecord {
  readonly kid: string;
  readonly state: KeyState;
  readonly kind: 'kms' | 'legacy';
  readonly kmsKeyArn?: string;
  readonly alg: SigningAlgorithm;
  readonly jwk: PublicJwk;
  readonly slot: number;
  readonly shards: number;
  readonly bornAt: number;
  /** When it was seen in the JWKS as served. */
  readonly confirmedAt?: number;
  readonly activatedAt?: number;
  readonly deactivatedAt?: number;
  /** Past this KMS refuses: the key policy says so. 0 for a legacy key, which never signs here. */
  readonly signUntil: number;
  readonly verifyUntil: number;
  /** Longest life of a token that it may have signed: the ring's may have been lowered since. */
  readonly maxTtlSeconds?: number;
  readonly windows: readonly Window[];
  readonly inJwks: boolean;
  readonly taint?: Taint;
  readonly deniedAt?: number;
  /**
   * What KMS was last told or seen to be; `Enabled` from before EnableKey is called, so that a crash is cleaned up.
   * A STANDBY passes through `Disabling`, in which nobody may prepare or activate it.
   */
  readonly kmsState?: 'Enabled' | 'Disabling' | 'Disabled';
  readonly preparedAt?: number;
  /** A probe signed with it, and it was not disabled since; 0 or absent: we only asked KMS to enable it. */
  readonly probedAt?: number;
  /** Of a STANDBY that was prepared and given up: others may still be about to disable it (`RESTS_FOR`). */
  readonly disabledAt?: number;
  readonly policySha256?: string;
  /** What the last read-back found; absent: as written at birth. */
  readonly policyState?: PolicyState;
}

const window: Schema<Window> = z.strictObject({ iatFrom: whole, iatTo: whole, wave: z.optional(kid) });

const taint: Schema<Taint> = z.strictObject({
  class: z.enum(TAINT_CLASSES),
  reason: text,
  at: whole,
  cases: z.array(text),
});

export const RING_KEY = entity({
  name: 'key of a ring',
  table: 'keys',
  key: (ring: string, of: string) => ({ pk: ringPartition(ring), sk: `KEY#${of}` }),
  owns: ({ pk, sk }) => pk.startsWith('RING#') && sk.startsWith('KEY#'),
  part: (ring: string) => ({ pk: ringPartition(ring), prefix: 'KEY#' }),
  schema: shape<KeyRecord>(
    z.strictObject({
      kid,
      state: z.enum(KEY_STATES),
      kind: z.enum(['kms', 'legacy']),
      kmsKeyArn: z.optional(text),
      alg: algorithm,
      jwk: publicJwk,
      slot: whole,
      shards: whole,
      bornAt: whole,
      confirmedAt: z.optional(whole),
      activatedAt: z.optional(whole),
      deactivatedAt: z.optional(whole),
      signUntil: whole,
      verifyUntil: whole,
      maxTtlSeconds: z.optional(whole),
      windows: z.array(window),
      inJwks: flag,
      taint: z.optional(taint),
      deniedAt: z.optional(whole),
      kmsState: z.optional(z.enum(['Enabled', 'Disabling', 'Disabled'])),
      preparedAt: z.optional(whole),
      probedAt: z.optional(whole),
      disabledAt: z.optional(whole),
      policySha256: z.optional(text),
      policyState: z.optional(z.enum(POLICY_STATES)),
    }),
  ),
});

export interface Slot {
  readonly slot: number;
  readonly state: 'INTENT' | 'CREATED' | 'ADOPTED';
  readonly at: number;
  /** Part of the tag that we find the KMS key by: no key made in advance can look like this slot's. */
  readonly nonce: string;
  /** Fixed here, for the key policy and the key record alike: the ring's period may change before the key is adopted. */
  readonly signUntil: number;
  /** CreateKey was called for it, or was about to be: from then on a key with its tag may exist. */
  readonly triedAt?: number;
  readonly adoptedAt?: number;
  /** When keys that carry the slot's tag, and are not its key, were looked for. */
  readonly sweptAt?: number;
  /** From CREATED on. The public key is read at once: KMS refuses to tell that of a disabled key. */
  readonly kmsKeyArn?: string;
  readonly jwk?: PublicJwk;
  readonly policySha256?: string;
}

export const SLOT = entity({
  name: 'slot of a ring',
  table: 'keys',
  key: (ring: string, slot: number) => ({ pk: ringPartition(ring), sk: `SLOT#${ordered(slot)}` }),
  owns: ({ pk, sk }) => pk.startsWith('RING#') && sk.startsWith('SLOT#'),
  part: (ring: string) => ({ pk: ringPartition(ring), prefix: 'SLOT#' }),
  schema: shape<Slot>(
    z.strictObject({
      slot: whole,
      state: z.enum(['INTENT', 'CREATED', 'ADOPTED']),
      at: whole,
      nonce: text,
      signUntil: whole,
      triedAt: z.optional(whole),
      adoptedAt: z.optional(whole),
      sweptAt: z.optional(whole),
      kmsKeyArn: z.optional(text),
      jwk: z.optional(publicJwk),
      policySha256: z.optional(text),
    }),
  ),
});

export const KID_POINTER = entity({
  name: 'pointer from a kid to its ring',
  table: 'keys',
  key: (of: string) => ({ pk: `KID#${of}`, sk: 'PTR' }),
  owns: ({ pk, sk }) => pk.startsWith('KID#') && sk === 'PTR',
  schema: shape<{ readonly ring: string }>(z.strictObject({ ring: text })),
});
