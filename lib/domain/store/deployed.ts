/**
 * What a deployment wrote for its Lambdas to read: the text of CURFEW_CONFIG.
 *
 *     {"instance":"demo","settings":{"feedPollSeconds":5,…},"publicBaseUrl":"https://…","feedKeyArn":"arn:…",…}
 *
 * It stands in the environment of each Lambda, so whoever may update a function's configuration can change it. It has no
 * version: a deployment writes it together with the code that reads it.
 */
import * as z from 'zod/mini';
import { CurfewError } from '../base/errors';
import { CORROBORATIONS, type Corroboration } from './inbox';
import { checkMembers, type Schema } from './members';
import { text } from './shapes';

const HR_SCHEMES = ['standard-webhooks', 'bamboohr'] as const;

/** One HR source: how it signs, what its word is worth, and where its secret is. */
export interface DeployedSource {
  readonly scheme: (typeof HR_SCHEMES)[number];
  readonly corroboration: Corroboration;
  readonly secretArn: string;
}

/** Members a Lambda does not need are absent. Settings are limited where they are declared: `deployment/settings.ts`. */
export interface Deployed {
  readonly instance: string;
  readonly settings: Readonly<Record<string, number>>;
  /** Where the public documents are served, without a trailing slash. */
  readonly publicBaseUrl?: string;
  /** The API that serves them, where a CDN or a name of its owner's stands before it. */
  readonly apiBaseUrl?: string;
  readonly feedKeyArn?: string;
  readonly checkpointKeyArn?: string;
  /** Name on the checkpoint and its signature, as C2SP signed-note has it. */
  readonly logOrigin?: string;
  /** KMS key that wraps the per-person keys. */
  readonly shredKeyArn?: string;
  readonly pepperSecretArn?: string;
  readonly denyPolicyArn?: string;
  readonly stateMachineArn?: string;
  readonly eventBusName?: string;
  /** Role names are fixed: key policies name them. */
  readonly roleArns?: Readonly<Record<'issuer' | 'resigner' | 'rotator' | 'disabler', string>>;
  readonly accountId?: string;
  /** By name. */
  readonly sources?: Readonly<Record<string, DeployedSource>>;
}

/** An empty text is an address that a stack forgot to fill in. */
const filled: Schema<string> = z.string().check(z.minLength(1));

export const DEPLOYED: Schema<Deployed> = z.strictObject({
  instance: filled,
  settings: z.record(text, z.number()),
  publicBaseUrl: z.optional(filled),
  apiBaseUrl: z.optional(filled),
  feedKeyArn: z.optional(filled),
  checkpointKeyArn: z.optional(filled),
  logOrigin: z.optional(filled),
  shredKeyArn: z.optional(filled),
  pepperSecretArn: z.optional(filled),
  denyPolicyArn: z.optional(filled),
  stateMachineArn: z.optional(filled),
  eventBusName: z.optional(filled),
  roleArns: z.optional(z.strictObject({ issuer: filled, resigner: filled, rotator: filled, disabler: filled })),
  accountId: z.optional(filled),
  sources: z.optional(
    z.record(
      text,
      z.strictObject({ scheme: z.enum(HR_SCHEMES), corroboration: z.enum(CORROBORATIONS), secretArn: filled }),
    ),
  ),
});

export function parseDeployed(written: string): Deployed {
  const found = checkMembers(DEPLOYED, parseJson(written));
  if ('members' in found) return found.members;
  throw invalid(`${found.member} ${found.what}`, found.member);
}

function parseJson(written: string): unknown {
  try {
    return JSON.parse(written);
  } catch {
    // The cause would quote the text.
    throw invalid('it is not JSON', 'the whole');
  }
}

function invalid(what: string, member: string): CurfewError {
  return new CurfewError('ERR_CONFIG_INVALID', `the configuration of the deployment cannot be read: ${what}`, {
    got: { member },
    fix: 'deploy again: the stacks write it, and nobody else should',
  });
}
