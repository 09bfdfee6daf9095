/** ERR_KEY_OUTSIDE_RING: a KMS key that can sign and that nothing rotates. */
import { CurfewError } from '../../domain/base/errors';
import type { Rendered } from './rendered';
import { glob, isRewritten } from './template-text';

const KEY = 'AWS::KMS::Key';
/** What a KMS key may be for without being able to sign; absent is ENCRYPT_DECRYPT. */
const SIGNS_NOTHING: readonly unknown[] = [undefined, 'ENCRYPT_DECRYPT', 'KEY_AGREEMENT'];

/**
 * Of an `AWS::KMS::ReplicaKey` a template does not say what it is for: its primary is judged where it stands. A usage
 * that is known only at deployment is refused: it could be any.
 */
export function keyOutsideRing({ type, properties, isGenerated }: Rendered): CurfewError | undefined {
  const unread = Object.keys(properties).filter(isRewritten);
  if (isGenerated ? glob(type).test(KEY) : type === KEY && unread.length > 0)
    return new CurfewError('ERR_KEY_OUTSIDE_RING', 'a loop or a macro creates a key that may be able to sign', {
      got: isGenerated ? type : unread,
      allowed: `${KEY} with a KeyUsage that stands in the template`,
      fix: 'declare the key in the template itself',
    });
  if (type !== KEY || SIGNS_NOTHING.includes(properties.KeyUsage)) return undefined;
  const { KeySpec: keySpec = 'SYMMETRIC_DEFAULT', KeyUsage: keyUsage } = properties;
  return new CurfewError('ERR_KEY_OUTSIDE_RING', 'a signing key is outside a ring, and nothing rotates it', {
    got: { keySpec, keyUsage },
    allowed: 'a SigningKeyRing, or a key for ENCRYPT_DECRYPT or KEY_AGREEMENT',
    fix: 'declare a SigningKeyRing and have its issuer sign; until then, get an exemption approved for this path',
  });
}
