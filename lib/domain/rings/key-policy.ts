/**
 * Key policy v1, written once at birth. The right to sign stands here and nowhere else, and ends here: nobody
 * automated may change the policy, so a dead scheduler cannot keep a key signing (the dead man's key).
 */
import { canonicalJson, H, type Json, type JsonObject } from '../base/encoding';
import { ALGORITHMS, type SigningAlgorithm } from '../jose/algorithm';
import type { PolicyState } from '../store/ring-key';

const POLICY_VERSION = 1;

export interface KeyPolicyInput {
  readonly accountId: string;
  readonly roleArns: Readonly<Record<'issuer' | 'resigner' | 'rotator' | 'disabler', string>>;
  readonly algorithm: SigningAlgorithm;
  /** Epoch seconds. */
  readonly signUntil: number;
}

export function keyPolicy({ accountId, roleArns, algorithm, signUntil }: KeyPolicyInput): string {
  const root = `arn:aws:iam::${accountId}:root`;
  const until = new Date(signUntil * 1000).toISOString().replace('.000Z', 'Z');
  const statements: Json[] = [
    {
      Sid: 'Administration',
      Effect: 'Allow',
      Principal: { AWS: root },
      Action: [
        'kms:Describe*',
        'kms:Get*',
        'kms:List*',
        'kms:PutKeyPolicy',
        'kms:EnableKey',
        'kms:DisableKey',
        'kms:ScheduleKeyDeletion',
        'kms:CancelKeyDeletion',
        'kms:TagResource',
      ],
      Resource: '*',
    },
    allow('Sign', [roleArns.issuer, roleArns.resigner], ['kms:Sign']),
    allow(
      'Lifecycle',
      [roleArns.rotator],
      ['kms:DescribeKey', 'kms:GetPublicKey', 'kms:GetKeyPolicy', 'kms:EnableKey', 'kms:DisableKey'],
    ),
    allow('Disable', [roleArns.disabler], ['kms:DisableKey', 'kms:DescribeKey', 'kms:ListGrants', 'kms:RevokeGrant']),
    deny('NoGrantNoReplica', ['kms:CreateGrant', 'kms:ReplicateKey']),
    deny('DeadMan', ['kms:Sign'], { DateGreaterThan: { 'aws:CurrentTime': until } }),
  ];
  const { message, kms, keySpec } = ALGORITHMS[algorithm];
  // A signer of digests must not be made to hash for us: what it signs is then always 32 or 48 bytes we computed.
  if (message === 'DIGEST')
    statements.push(deny('DigestOnly', ['kms:Sign'], { StringEquals: { 'kms:MessageType': 'RAW' } }));
  // One RSA key can sign under six algorithms; a token header must not be able to pick.
  if (keySpec.startsWith('RSA'))
    statements.push(
      deny('OneAlgorithm', ['kms:Sign'], {
        StringEquals: { 'kms:SigningAlgorithm': RSA_ALGORITHMS.filter((name) => name !== kms) },
      }),
    );
  return canonicalJson({ Version: '2012-10-17', Id: `curfew-v${POLICY_VERSION}`, Statement: statements });
}

export function policySha256(policy: string): string {
  return H(policy);
}

/**
 * What a policy is that was read back. `orphaned`: a role it names was deleted, and KMS shows its unique id instead;
 * a role made anew under that name is another principal. `granted`: it is as written, and somebody has a right beside
 * it. `unreadable`: we are not even let look at it any more.
 */
export type { PolicyState } from '../store/ring-key';

export function policyStateOf(found: string | undefined, written: string): PolicyState {
  if (found === undefined) return 'unreadable';
  if (isSamePolicy(found, written)) return 'as-written';
  const names = principalsOf(JSON.parse(found));
  return isSamePolicy(withoutGone(found, names), withoutGone(written, names)) ? 'orphaned' : 'changed';
}

/** Every text that stands where principals stand; a policy is read here that anybody may have written. */
function principalsOf(value: unknown, isPrincipal = false): readonly string[] {
  if (typeof value === 'string') return isPrincipal ? [value] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => principalsOf(member, isPrincipal || name === 'Principal'));
}

/** With `-` for each principal that is a bare unique id, or that the policy as found does not name any more. */
function withoutGone(policy: string, found: readonly string[]): string {
  const kept = (value: Json, isPrincipal: boolean): Json => {
    if (typeof value === 'string')
      return isPrincipal && (UNIQUE_ID.test(value) || !found.includes(value)) ? '-' : value;
    if (typeof value !== 'object' || value === null) return value;
    if (isList(value)) return value.map((member) => kept(member, isPrincipal));
    return mapMembers(value, (member, name) => kept(member, isPrincipal || name === 'Principal'));
  };
  return canonicalJson(kept(parsed(policy), false));
}

const UNIQUE_ID = /^(AROA|AIDA)[A-Z0-9]+$/;

/** Two texts of one policy: order of members and of lists, white space, and one value or a list of one, say nothing. */
export function isSamePolicy(a: string, b: string): boolean {
  return normalised(parsed(a)) === normalised(parsed(b));
}

function normalised(policy: Json): string {
  const one = (value: Json): Json => {
    if (value === null || typeof value !== 'object') return value;
    if (!isList(value)) return mapMembers(value, one);
    const [only, ...more] = value;
    return only !== undefined && more.length === 0 ? one(only) : sorted(value.map(one));
  };
  return canonicalJson(one(policy));
}

/** What KMS holds as a policy, and what we write, is JSON. */
function parsed(policy: string): Json {
  return JSON.parse(policy);
}

/** `Array.isArray` does not tell a readonly list from an object. */
function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function mapMembers(members: JsonObject, map: (member: Json, name: string) => Json): JsonObject {
  return Object.fromEntries(
    Object.entries(members).map(([name, member]) => [name, member === undefined ? member : map(member, name)]),
  );
}

/** Statements too: which comes first decides nothing. */
function sorted(list: readonly Json[]): Json {
  return [...list].sort((a, b) => (canonicalJson(a) < canonicalJson(b) ? -1 : 1));
}

/** Every way KMS signs with an RSA key, so that the Deny can name all but one with a positive operator. */
const RSA_ALGORITHMS = ['RSASSA_PKCS1_V1_5', 'RSASSA_PSS'].flatMap((scheme) =>
  ['SHA_256', 'SHA_384', 'SHA_512'].map((hash) => `${scheme}_${hash}`),
);

function allow(sid: string, principals: readonly string[], actions: readonly string[]): Json {
  return { Sid: sid, Effect: 'Allow', Principal: { AWS: principals }, Action: actions, Resource: '*' };
}

function deny(sid: string, actions: readonly string[], condition?: Json): Json {
  return { Sid: sid, Effect: 'Deny', Principal: { AWS: '*' }, Action: actions, Resource: '*', Condition: condition };
}
