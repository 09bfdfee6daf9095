/**
 * A ring as a whole, in table `keys`.
 *
 *     RING#{ring} | HEAD            activations fence activeKid? halted closingAt? cfg cfgSha
 *     GATE#{ring}#{0-15} | HEAD     activeKid? halted closingAt?     copies of what every issuance tests
 *     RINGS | {ring}                inspectedAt?                     all rings of the instance
 */
import * as z from 'zod/mini';
import type { SigningAlgorithm } from '../jose/algorithm';
import { entity, type Schema, shape } from './entity';
import { algorithm, flag, kid, text, whole } from './shapes';
import { ordered } from './table';

/** A verifier that is not ours, and how long it goes on with the JWKS it has. */
export interface DeclaredVerifier {
  readonly name: string;
  /** `unbounded`: it never asks again by itself (aws-jwt-verify's simple cache, go-oidc). No wait covers that; the report names it. */
  readonly cacheSeconds: number | 'unbounded';
}

export interface Exemption {
  readonly rule: 'ERR_RING_LIMIT' | 'ERR_KEY_OUTSIDE_RING';
  readonly subject: string;
  /** Where the approval is on file (a ticket, a role): it stands in evidence in clear, so never a person's name. */
  readonly approver: string;
  readonly reason: string;
  /** The last day on which it counts, UTC: `YYYY-MM-DD`. */
  readonly until: string;
}

/** What stands in HEAD.cfg: the part of the configuration that tokens depend on, and the timings of activation. */
export interface RingSettings {
  readonly alg: SigningAlgorithm;
  readonly iss: string;
  readonly aud: string;
  readonly periodSeconds: number;
  readonly maxTtlSeconds: number;
  readonly propagationSeconds: number;
  readonly cacheSeconds: number;
  readonly skewSeconds: number;
  readonly drainSeconds: number;
  readonly feedPollSeconds: number;
  /** Epoch seconds: from then on the hard limit of the period counts again. */
  readonly periodExemptUntil?: number;
  readonly verifiers?: readonly DeclaredVerifier[];
  readonly exemptions?: readonly Exemption[];
}

const verifier: Schema<DeclaredVerifier> = z.strictObject({
  name: text,
  cacheSeconds: z.union([whole, z.literal('unbounded')]),
});

const exemption: Schema<Exemption> = z.strictObject({
  rule: z.enum(['ERR_RING_LIMIT', 'ERR_KEY_OUTSIDE_RING']),
  subject: text,
  approver: text,
  reason: text,
  until: text,
});

const settings: Schema<RingSettings> = z.strictObject({
  alg: algorithm,
  iss: text,
  aud: text,
  periodSeconds: whole,
  maxTtlSeconds: whole,
  propagationSeconds: whole,
  cacheSeconds: whole,
  skewSeconds: whole,
  drainSeconds: whole,
  feedPollSeconds: whole,
  periodExemptUntil: z.optional(whole),
  verifiers: z.optional(z.array(verifier)),
  exemptions: z.optional(z.array(exemption)),
});

export interface RingHead {
  /** How often a key was activated; 0 at birth. */
  readonly activations: number;
  /** Counts the changes of the ring: one that was decided on an older reading is refused. */
  readonly fence: number;
  readonly activeKid?: string;
  readonly halted: boolean;
  /** From then on nothing is issued; the ring is RETIRED whole when its last token is over. */
  readonly closingAt?: number;
  readonly cfg: RingSettings;
  readonly cfgSha: string;
}

export const ringPartition = (ring: string) => `RING#${ring}`;

export const RING_HEAD = entity({
  name: 'head of a ring',
  table: 'keys',
  key: (ring: string) => ({ pk: ringPartition(ring), sk: 'HEAD' }),
  owns: ({ pk, sk }) => pk.startsWith('RING#') && sk === 'HEAD',
  part: (ring: string) => ({ pk: ringPartition(ring), prefix: 'HEAD' }),
  schema: shape<RingHead>(
    z.strictObject({
      activations: whole,
      fence: whole,
      activeKid: z.optional(kid),
      halted: flag,
      closingAt: z.optional(whole),
      cfg: settings,
      cfgSha: text,
    }),
  ),
});

/**
 * Copies of what every issuance tests (HEAD's activeKid, halted, closingAt), each in a partition of its own: DynamoDB
 * takes about 500 such tests a second of one row, and a ring may issue more. They change in HEAD's own transaction.
 */
export const GATES = 16;

export const GATE = entity({
  name: 'gate of a ring',
  table: 'keys',
  key: (ring: string, gate: number) => ({ pk: `GATE#${ring}#${ordered(gate, 2)}`, sk: 'HEAD' }),
  owns: ({ pk }) => pk.startsWith('GATE#'),
  schema: shape<Pick<RingHead, 'activeKid' | 'halted' | 'closingAt'>>(
    z.strictObject({
      activeKid: z.optional(kid),
      halted: flag,
      closingAt: z.optional(whole),
    }),
  ),
});

export interface RingEntry {
  /** When a tick had read every key of the ring back. */
  readonly inspectedAt?: number;
}

/** So that who watches the rings needs no list of its own. */
export const RING_ENTRY = entity({
  name: 'entry of a ring',
  table: 'keys',
  key: (ring: string) => ({ pk: 'RINGS', sk: ring }),
  owns: ({ pk }) => pk === 'RINGS',
  part: () => ({ pk: 'RINGS' }),
  schema: shape<RingEntry>(z.strictObject({ inspectedAt: z.optional(whole) })),
  fromKey: ({ sk }) => ({ id: sk }),
});
