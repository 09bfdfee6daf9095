/** The configuration of a deployment, as its owner writes it: one JSON file, refused whole when anything is odd. */
import * as z from 'zod';
import { STAGES } from './constructs/stage';
import { CurfewError } from './domain/errors';
import { ALGORITHMS, type SigningAlgorithm } from './domain/keys/algorithm';
import { parseSettings } from './domain/settings';

const algorithms = Object.keys(ALGORITHMS) as [SigningAlgorithm, ...SigningAlgorithm[]];

const ring = z.strictObject({
  id: z.string(),
  issuer: z.string(),
  audience: z.string(),
  algorithm: z.enum(algorithms).default('ES256'),
  /** How often the rotator asks what is due. */
  rotationCheckMinutes: z.int(),
  /** How long a key signs. */
  periodDays: z.int().default(30),
  maxTtlSeconds: z.int().optional(),
  /** Each is checked by `parseRingConfig`. */
  legacyKeys: z.array(z.unknown()).default([]),
});

const source = z.strictObject({
  scheme: z.enum(['standard-webhooks', 'bamboohr']),
  corroboration: z.enum(['read-back', 'signed-fact']).default('read-back'),
});

const configuration = z.strictObject({
  /** Stands in the names of roles and stacks. */
  instance: z.string().regex(/^[a-z][a-z0-9-]{1,20}$/),
  /** KMS keys live in one region and so does everything that uses them. */
  region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/),
  stage: z.enum(STAGES),
  /** Where the public documents are served; `{apiId}` stands for the API of the signing stack. */
  publicBaseUrl: z.string(),
  /** Name of the evidence log on its checkpoints. */
  logOrigin: z.string(),
  evidenceRetentionDays: z.int().optional(),
  settings: z.record(z.string(), z.unknown()).default({}).transform(parseSettings),
  rings: z.array(ring).min(1),
  sources: z.record(z.string(), source).default({}),
});

export type Configuration = z.infer<typeof configuration>;

export function parseConfiguration(given: unknown): Configuration {
  const parsed = configuration.safeParse(given);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new CurfewError(
    'ERR_CONFIG_INVALID',
    `the configuration is not valid at ${issue?.path.join('.') || 'its root'}: ${issue?.message}`,
    {
      got: parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`),
      fix: 'compare it with config/example.json',
    },
  );
}
