/** `curfew verifier config RING`: what a service needs to verify tokens of a ring. It holds a secret, the pepper. */

import { KmsSigner } from '../../lib/aws/kms-signer';
import { SecretsManagerSecrets } from '../../lib/aws/secrets';
import { jwkFromSpki } from '../../lib/domain/jose/jwk';
import type { VerifierOptions } from '../../lib/verifier';
import { loadRing } from '../../lib/work/rings/load-ring';
import type { Instance } from '../edge/instance';
import { type Commands, instanceOf } from './command';
import { parseRingId } from './ring-change';

export const VERIFIER_COMMANDS = {
  'verifier config': {
    usage: 'RING',
    says: 'what a service needs to verify tokens of the ring; it holds a secret',
    takes: 1,
    run: async ([given = ''], options) => {
      const ring = parseRingId(given);
      const config = await verifierConfig(await instanceOf(options), ring);
      return { json: config, text: JSON.stringify(config, undefined, 2) };
    },
  },
} as const satisfies Commands;

export async function verifierConfig(instance: Instance, id: string): Promise<VerifierOptions> {
  const { cfg } = await loadRing(instance, id);
  const secrets = new SecretsManagerSecrets(() => instance.output('PepperSecretArn'), instance.clock);
  const [pepper = ''] = await secrets.values('pepper');
  const feedKey = await new KmsSigner().publicKey(instance.output('FeedKeyArn'));
  return {
    ring: id,
    issuer: cfg.iss,
    audience: cfg.aud,
    publicBaseUrl: instance.output('PublicBaseUrl'),
    feedKeys: [jwkFromSpki(feedKey, 'ES256')],
    pepper,
    maxTtlSeconds: cfg.maxTtlSeconds,
    skewSeconds: cfg.skewSeconds,
  };
}
