/** What several stored shapes have in common. */
import * as z from 'zod/mini';
import { ALGORITHMS, type SigningAlgorithm } from '../jose/algorithm';
import { KID_PATTERN, type PublicJwk } from '../jose/jwk';
import type { Schema } from './entity';
import type { Value } from './table';

export const text: Schema<string> = z.string();
export const flag: Schema<boolean> = z.boolean();
/** A whole number from 0: seconds, counters, fences. */
export const whole: Schema<number> = z.int().check(z.nonnegative());
export const kid: Schema<string> = z.string().check(z.regex(KID_PATTERN));
/** base64url of a SHA-256 digest. */
export const digest: Schema<string> = z.string().check(z.regex(/^[A-Za-z0-9_-]{43}$/));
export const counts: Schema<Readonly<Record<string, number>>> = z.record(z.string(), whole);

export const algorithm: Schema<SigningAlgorithm> = z.enum(
  Object.keys(ALGORITHMS) as [SigningAlgorithm, ...SigningAlgorithm[]],
);

/** The shape of a public key; that it is a key of its `alg` is checked where somebody configures one. */
export const publicJwk: Schema<PublicJwk> = z.strictObject({
  kty: z.enum(['EC', 'RSA', 'OKP']),
  crv: z.optional(text),
  x: z.optional(text),
  y: z.optional(text),
  n: z.optional(text),
  e: z.optional(text),
  kid,
  alg: algorithm,
  use: z.literal('sig'),
});

/** Anything that JSON can spell. */
export const json: Schema<Value> = z.lazy(() =>
  z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(json), z.record(z.string(), json)]),
);
export const jsonObject: Schema<{ readonly [name: string]: Value }> = z.record(z.string(), json);
