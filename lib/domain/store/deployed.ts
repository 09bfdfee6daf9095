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
import { checkMembers, type Schema } from './members';
import { text } from './shapes';

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
  /** Who may decide about cases: two of them together. Absent: nobody may, which the owner has written out. */
  readonly approvers?: readonly { readonly workerId: string; readonly identity: string }[];
  /** Where the HR sources stand (`hr-sources.ts`): they are too many for an environment. */
  readonly hrSourcesArn?: string;
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
  approvers: z.optional(z.array(z.strictObject({ workerId: filled, identity: filled }))),
  hrSourcesArn: z.optional(filled),
});

export function parseDeployed(written: string): Deployed {
  return parseWritten(DEPLOYED, 'the configuration', written);
}

/** The text that a stack wrote for its Lambdas, parsed; `what` says of it in a message what it is. */
export function parseWritten<M>(schema: Schema<M>, what: string, written: string): M {
  const found = checkMembers(schema, parseJson(what, written));
  if ('members' in found) return found.members;
  throw invalid(what, `${found.member} ${found.what}`, found.member);
}

function parseJson(what: string, written: string): unknown {
  try {
    return JSON.parse(written);
  } catch {
    // The cause would quote the text.
    throw invalid(what, 'it is not JSON', 'the whole');
  }
}

function invalid(what: string, wrong: string, member: string): CurfewError {
  return new CurfewError('ERR_CONFIG_INVALID', `${what} of the deployment cannot be read: ${wrong}`, {
    got: { member },
    fix: 'deploy again: the stacks write it, and nobody else should',
  });
}
