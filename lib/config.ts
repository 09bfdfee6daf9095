/** The configuration of a deployment, as its owner writes it: one JSON file, refused whole when anything is odd. */
import * as z from 'zod';
import { STAGES } from './constructs/parts/stage';
import { CurfewError } from './domain/base/errors';
import { parseSettings } from './domain/deployment/settings';
import { isTimeZone } from './domain/intake/day';

const verifier = z.strictObject({
  name: z.string(),
  /** `unbounded`: it never asks again by itself. */
  cacheSeconds: z.union([z.int().nonnegative(), z.literal('unbounded')]),
});

/** The shape alone: limits are those of `SigningKeyRing`, which has them all reported at once. */
const ring = z.strictObject({
  id: z.string(),
  issuer: z.string(),
  audience: z.string(),
  algorithm: z.string().default('ES256'),
  /** How often the rotator asks what is due. */
  rotationCheckMinutes: z.number().optional(),
  /** How long a key signs. */
  periodDays: z.number().nonnegative().default(30),
  maxTtlSeconds: z.number().nonnegative().optional(),
  /** How long a key is published before it may sign. */
  standbyAgeSeconds: z.number().nonnegative().optional(),
  verifiers: z.array(verifier).default([]),
  legacyKeys: z.array(z.unknown()).default([]),
  /**
   * CloudFormation has room for some thirty rings in a stack. Said for each ring, and not counted: a ring that another one
   * moved to another stack would be without its schedules while both are deployed.
   */
  stack: z.int().min(1).max(20).default(1),
  /** First step of a removal; the second is to take the ring out. */
  closing: z.boolean().default(false),
});

const source = z
  .strictObject({
    scheme: z.enum(['standard-webhooks', 'bamboohr']),
    corroboration: z.enum(['confirmed', 'signed-fact']).default('confirmed'),
    /** The system of record behind it: two sources of one origin say one thing twice. */
    origin: z.string().min(1).optional(),
    /** IANA time zone of its bare dates. */
    zone: z.string().refine(isTimeZone, { message: 'not a time zone of IANA, as Asia/Seoul is' }).optional(),
    /** What its dates mean. */
    dateMeans: z.enum(['access-end', 'employment-end']).optional(),
  })
  .refine(({ scheme, zone }) => scheme !== 'bamboohr' || zone !== undefined, {
    message: 'BambooHR gives bare dates: say in which time zone, as "zone": "America/New_York"',
  });

/** Shape alone, as of a ring: what an exemption must say is checked with the rest of the app, against today's date. */
const exemption = z.looseObject({});

const cdn = z
  .strictObject({ domainName: z.string().optional(), certificateArn: z.string().optional() })
  .refine(({ domainName, certificateArn }) => (domainName === undefined) === (certificateArn === undefined), {
    message: 'a domain name needs its certificate, and a certificate its domain name',
  });

/** Shape alone: whether the numbers fit each other is checked with the rest of the app. */
const publicConcurrency = z.strictObject({
  account: z.number(),
  'well-known': z.number(),
  exchange: z.number(),
  'was-issued': z.number(),
  intake: z.number(),
});

const approvers = z
  .array(
    z.strictObject({
      workerId: z
        .string()
        .min(1)
        .transform((id) => id.normalize('NFC')),
      /** What IAM calls them: a name may be given to somebody else, and whoever assumes a role chooses its session's name. */
      identity: z.string().regex(/^(AIDA[A-Z0-9]{8,}|AROA[A-Z0-9]{8,}:[\w+=,.@-]{2,64})$/, {
        message: 'not AIDA… of an IAM user, nor AROA…:name of an Identity Center user',
      }),
    }),
  )
  .min(3)
  .max(20)
  .refine((all) => new Set(all.map(({ workerId }) => workerId)).size === all.length, {
    message: 'a person stands twice',
  })
  .refine((all) => new Set(all.map(({ identity }) => identity)).size === all.length, {
    message: 'an identity stands twice',
  });

const configuration = z
  .strictObject({
    /** Stands in the names of roles and stacks. */
    instance: z.string().regex(/^[a-z][a-z0-9-]{1,20}$/),
    /** KMS keys live in one region and so does everything that uses them. */
    region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/),
    stage: z.enum(STAGES),
    /** Where the public documents are served; `{apiId}` and `{region}` are those of the signing stack, `{cdn}` its CDN. */
    publicBaseUrl: z.string(),
    /** Name of the evidence log on its checkpoints. */
    logOrigin: z.string(),
    evidenceRetentionDays: z.int().optional(),
    settings: z.record(z.string(), z.unknown()).default({}).transform(parseSettings),
    rings: z
      .array(ring)
      .min(1)
      .refine((rings) => new Set(rings.map(({ id }) => id)).size === rings.length, {
        message: 'two rings have one id',
      }),
    exemptions: z.array(exemption).default([]),
    /** Told by every alarm; without it they are silent. */
    alarmTopicArn: z.string().startsWith('arn:').optional(),
    /** Told whenever a case asks for approvers; without it only the alarm HeldCases tells. */
    approversTopicArn: z.string().startsWith('arn:').optional(),
    /** A CloudFront distribution before the public documents; none unless it is given, `{}` with all defaults. */
    cdn: cdn.optional(),
    /** Runs at once of the functions that strangers may call; no caps unless it is given. */
    publicConcurrency: publicConcurrency.optional(),
    /** IAM users whom no departure may lock out. */
    breakGlassArns: z.array(z.string()).default([]),
    sources: z.record(z.string(), source).default({}),
    /** Two of them together decide about cases in doubt. `none` has to be written out: a case in doubt then stays held. */
    approvers: z.union([z.literal('none'), approvers]).optional(),
  })
  .refine(({ sources, approvers: given }) => Object.keys(sources).length === 0 || given !== undefined, {
    path: ['approvers'],
    message:
      'name three approvers or more, or write "none": without them nobody can let a case in doubt go on, or give it back',
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
