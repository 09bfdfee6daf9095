/** JWS algorithms of RFC 7518 and RFC 8037 that a ring may use, and what KMS calls each of them. */
import { CurfewError } from '../base/errors';

export const ALGORITHMS = {
  ES256: { keySpec: 'ECC_NIST_P256', kms: 'ECDSA_SHA_256', hash: 'sha256', ecdsaBytes: 32, message: 'DIGEST' },
  ES384: { keySpec: 'ECC_NIST_P384', kms: 'ECDSA_SHA_384', hash: 'sha384', ecdsaBytes: 48, message: 'DIGEST' },
  RS256: {
    keySpec: 'RSA_2048',
    kms: 'RSASSA_PKCS1_V1_5_SHA_256',
    hash: 'sha256',
    ecdsaBytes: undefined,
    message: 'DIGEST',
  },
  PS256: { keySpec: 'RSA_2048', kms: 'RSASSA_PSS_SHA_256', hash: 'sha256', ecdsaBytes: undefined, message: 'DIGEST' },
  /** KMS signs Ed25519 over the message itself: at most 4,096 bytes. */
  EdDSA: {
    keySpec: 'ECC_NIST_EDWARDS25519',
    kms: 'ED25519_SHA_512',
    hash: undefined,
    ecdsaBytes: undefined,
    message: 'RAW',
  },
} as const;

/** What KMS signs RAW is at most this long: of the algorithms here, Ed25519's messages. */
export const RAW_MESSAGE_BYTES_MAX = 4096;

export type SigningAlgorithm = keyof typeof ALGORITHMS;

export function parseAlgorithm(text: unknown): SigningAlgorithm {
  if (typeof text === 'string' && Object.hasOwn(ALGORITHMS, text)) return text as SigningAlgorithm;
  throw new CurfewError('ERR_CONFIG_INVALID', 'a ring may not use this algorithm', {
    got: text,
    allowed: Object.keys(ALGORITHMS),
    fix: 'use ES256; use RS256 if verifiers take RSA only, as API Gateway JWT authorisers do',
  });
}
