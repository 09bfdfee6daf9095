/** A token before it is signed: header and payload as they will stand in it, and small enough for any verifier. */
import { CurfewError } from '../base/errors';
import { ACCESS_TOKEN_TYP, signingInput, signingInputBytesMax } from '../jose/compact';
import type { KeyRecord } from '../rings/ring';

export interface TokenDraft {
  /** RFC 7515 section 5.1: what is signed, ASCII. */
  readonly signingInput: Buffer;
  readonly protected: string;
  readonly payload: Uint8Array;
}

type Signing = Pick<KeyRecord, 'alg' | 'kid'>;

/** Throws `ERR_TOKEN_TOO_LARGE`: what no verifier would accept must never be issued, and what KMS cannot sign cannot. */
export function draftToken(key: Signing, payload: Uint8Array): TokenDraft {
  const input = inputOf(key, payload);
  const bytesMax = signingInputBytesMax(key.alg);
  if (input.length > bytesMax)
    throw new CurfewError(
      'ERR_TOKEN_TOO_LARGE',
      `the token under ${key.alg} is larger than ${bytesMax} bytes before its signature`,
      {
        got: input.length,
        allowed: bytesMax,
        fix: 'leave out claims that the service can look up',
      },
    );
  const [head = ''] = input.toString().split('.');
  return { signingInput: input, protected: head, payload };
}

/** Whether a payload fits into a token under this key. */
export function isDraftable(key: Signing, payload: Uint8Array): boolean {
  return inputOf(key, payload).length <= signingInputBytesMax(key.alg);
}

function inputOf({ alg, kid }: Signing, payload: Uint8Array): Buffer {
  return signingInput({ alg, kid, typ: ACCESS_TOKEN_TYP }, payload);
}
