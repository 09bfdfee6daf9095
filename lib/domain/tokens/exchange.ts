/** Exchange: holders trade the exact old token for its re-signed version (RFC 8693 request and response shape). */
import { CurfewError } from '../base/errors';
import type { KeyRecord, Ring } from '../rings/ring';

const GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
/** Anything that would change what the token says is refused: the payload is copied, never edited. */
const PARAMETERS = ['grant_type', 'subject_token', 'subject_token_type', 'requested_token_type', 'client_id'];

/** The subject token of a form body; every oddity is the one `invalid_request`. */
export function parseExchange(form: string): { readonly subjectToken: string } {
  const given = new URLSearchParams(form);
  const names = [...given.keys()];
  const requested = given.get('requested_token_type') ?? ACCESS_TOKEN;
  const token = given.get('subject_token');
  const sound =
    names.every((name) => PARAMETERS.includes(name)) &&
    new Set(names).size === names.length &&
    given.get('grant_type') === GRANT &&
    given.get('subject_token_type') === ACCESS_TOKEN &&
    requested === ACCESS_TOKEN &&
    token;
  if (!sound) throw exchangeRefused();
  return { subjectToken: token };
}

/** May the presented version be traded in? Only what a taint made worthless, whatever the token's signature says. */
export function isExchangeable(presented: KeyRecord | undefined): presented is KeyRecord {
  return (
    presented?.taint !== undefined &&
    presented.taint.reason !== 'token-leak' &&
    (presented.state === 'SUSPECT' || presented.state === 'DENIED')
  );
}

/** Where the current version of a token may stand: keys that are good now, the last activated first. */
export function currentKeys(ring: Ring, now: number): readonly KeyRecord[] {
  return ring.keys
    .filter((key) => (key.state === 'ACTIVE' || key.state === 'VERIFY_ONLY') && now <= key.verifyUntil)
    .sort((a, b) => (b.activatedAt ?? 0) - (a.activatedAt ?? 0));
}

/** A collected token is handed out one feed poll after its window was published, so that every verifier knows it. */
export function isCollectable(presented: KeyRecord, pollSeconds: number, now: number): boolean {
  return now >= (presented.taint?.at ?? now) + pollSeconds;
}

export function exchangeResponse(token: string, exp: number, now: number): object {
  return { access_token: token, issued_token_type: ACCESS_TOKEN, token_type: 'Bearer', expires_in: exp - now };
}

/** One answer for every refusal: what was never issued and what was revoked look the same from outside. */
export function exchangeRefused(cause?: unknown): CurfewError {
  return new CurfewError('ERR_EXCHANGE_REFUSED', 'the token cannot be exchanged', { cause });
}
