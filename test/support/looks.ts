/** What a doctor would see of a deployment in memory: KMS as it is there, and everything else as it should be. */
import type { Looks } from '../../bin/commands/looks';
import { see } from '../../bin/commands/looks';
import { jwkFromSpki } from '../../lib/domain/jose/jwk';
import { policyAllowing } from '../../lib/local/kms';
import { roleArn, type World } from '../../lib/local/world';

/** AWS's defaults. */
export const KMS_QUOTAS: Readonly<Record<string, number>> = {
  'Cryptographic operations (ECC) request rate': 1000,
  'Cryptographic operations (RSA) request rate': 1000,
  'CreateKey request rate': 5,
  'EnableKey request rate': 5,
  'DisableKey request rate': 5,
};

export function looksAt(world: World, more: Partial<Looks> = {}): Looks {
  // The caller's identity policy opens what the rotator's key policy opens: state and policy.
  const keys = world.kms.ringKeysFor(roleArn('rotator'));
  const { accountId = '', roleArns, feedKeyArn = '', publicBaseUrl = '' } = world.config;
  if (!roleArns) throw new Error('the world has no roles');
  const purposeKey = (signer: string) => ({
    signer: { seen: signer },
    policy: { seen: policyAllowing([signer], ['kms:Sign', 'kms:GetPublicKey']) },
    grants: { seen: [] },
  });
  return {
    instance: 'example',
    stacks: { evidence: 'CREATE_COMPLETE', signing: 'CREATE_COMPLETE', offboarding: 'CREATE_COMPLETE' },
    stage: { seen: 'production' },
    publicBaseUrl,
    roles: { accountId, roleArns },
    feedKey: () => see(async () => jwkFromSpki(world.kms.publicKeyOf(feedKeyArn), 'ES256')),
    kmsKey: async (arn) => ({
      state: await see(async () => (await keys.describe(arn)).state),
      policy: await see(() => keys.policy(arn)),
      grants: await see(() => keys.grants(arn)),
    }),
    watchedAt: async (_ring, now) => ({ seen: now - 40 }),
    webhookSecrets: async () => ({ 'people-system': { seen: true } }),
    people: async () => ({ seen: { items: 3, tableMadeAt: 0 } }),
    purposeKeys: async () => ({
      feed: purposeKey(roleArn('publisher')),
      checkpoint: purposeKey(roleArn('sequencer')),
    }),
    alarms: async (names) => ({ seen: names.map((name) => ({ name, state: 'OK', hasAction: true, isMuted: false })) }),
    birth: async () => ({ seen: { allowed: true, missing: [] } }),
    kmsQuotas: async () => ({ seen: KMS_QUOTAS }),
    concurrency: async () => ({ seen: { limit: 1000, peak: 41 } }),
    ...more,
  };
}
