/** What somebody with the account's administration could do to keys that stand by, and tokens made with them. */
import { EnableKeyCommand, GetKeyPolicyCommand, KMSClient, PutKeyPolicyCommand } from '@aws-sdk/client-kms';
import { LOCAL_ACCOUNT } from '../../../emulator/emulator';
import { KmsSigner } from '../../../lib/aws/kms-signer';
import { ACCESS_TOKEN_TYP, signingInput } from '../../../lib/domain/jose/compact';
import { keyPolicy } from '../../../lib/domain/rings/key-policy';
import type { KeyRecord } from '../../../lib/domain/rings/ring';
import { signJws } from '../../../lib/work/tokens/seal';
import { idsFor } from '../../support/seeded';
import type { TestRing } from './test-ring';

const kms = new KMSClient({});
const jti = idsFor('forged tokens');
const POLICY = { PolicyName: 'default' };

export async function enable({ kmsKeyArn: KeyId = '' }: KeyRecord): Promise<void> {
  await kms.send(new EnableKeyCommand({ KeyId }));
}

/** Adds the right to sign, for everybody in the account whose identity policy allows it. */
export async function letSign({ kmsKeyArn: KeyId = '' }: KeyRecord): Promise<void> {
  const { Policy = '' } = await kms.send(new GetKeyPolicyCommand({ KeyId, ...POLICY }));
  const policy = JSON.parse(Policy) as { Statement: object[] };
  const root = `arn:aws:iam::${LOCAL_ACCOUNT}:root`;
  policy.Statement.push({ Sid: 'Mine', Effect: 'Allow', Principal: { AWS: root }, Action: 'kms:Sign', Resource: '*' });
  await kms.send(new PutKeyPolicyCommand({ KeyId, ...POLICY, Policy: JSON.stringify(policy) }));
}

/**
 * A token without fault but that nobody issued it. Signed as root, which the emulator lets sign with any key that is
 * enabled; AWS does so only where the key policy was changed to say so.
 */
export async function forge(
  { config }: TestRing,
  { kid, alg, kmsKeyArn, jwk }: KeyRecord,
  now: number,
): Promise<string> {
  const claims = {
    iss: config.issuer,
    aud: config.audience,
    sub: 'no-such-member',
    client_id: 'web',
    jti: jti(),
    iat: now,
    exp: now + config.maxTtlSeconds,
    scope: 'orders',
  };
  const input = signingInput({ alg, kid, typ: ACCESS_TOKEN_TYP }, Buffer.from(JSON.stringify(claims)));
  return signJws(new KmsSigner(), { kmsKeyArn, jwk }, input);
}

/**
 * The policy that the key was born with, with another last date: what the calendar would have brought is that this date
 * is past. Answers how to put the old one back.
 */
export async function datePolicy({ instance }: TestRing, { kmsKeyArn: KeyId = '', alg }: KeyRecord, signUntil: number) {
  const role = (name: string) => `arn:aws:iam::${LOCAL_ACCOUNT}:role/curfew-${instance.name}-${name}`;
  const roleArns = {
    issuer: role('issuer'),
    resigner: role('resigner'),
    rotator: role('rotator'),
    disabler: role('disabler'),
  };
  const { Policy: born } = await kms.send(new GetKeyPolicyCommand({ KeyId, ...POLICY }));
  const Policy = keyPolicy({ accountId: LOCAL_ACCOUNT, roleArns, algorithm: alg, signUntil });
  await kms.send(new PutKeyPolicyCommand({ KeyId, ...POLICY, Policy }));
  return () => kms.send(new PutKeyPolicyCommand({ KeyId, ...POLICY, Policy: born }));
}
