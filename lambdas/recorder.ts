/**
 * Puts the outstanding tokens of the issuer before us into the ledger, as that issuer's role (`curfew adopt record`).
 *
 * Their key is exportable by nature, so a valid signature proves nothing: what counts is who calls. From the moment
 * the key is tainted we record no more, or a holder of the key could record forged tokens.
 */

import { entry } from '../lib/aws/entry';
import { CurfewError, isCurfewError } from '../lib/domain/base/errors';
import type { Messages } from '../lib/domain/deployment/messages';
import { ACCESS_TOKEN_TYP, type CompactToken, parseCompact } from '../lib/domain/jose/compact';
import { isSigned } from '../lib/domain/jose/signature';
import type { RingSettings } from '../lib/domain/rings/configuration';
import type { KeyRecord } from '../lib/domain/rings/ring';
import { LEDGER_ROW } from '../lib/domain/store/ledger';
import { RING_HEAD } from '../lib/domain/store/ring-head';
import { RING_KEY } from '../lib/domain/store/ring-key';
import { type Claims, jtiHash, parseClaims } from '../lib/domain/tokens/claims';
import { blindSubjects } from '../lib/domain/tokens/cut-off';
import { draftToken } from '../lib/domain/tokens/draft';
import { recordAdopted } from '../lib/domain/tokens/ledger';
import type { Deps } from '../lib/ports';
import { outIdAt } from '../lib/work/tokens/out-id';
import { pepperOf } from '../lib/work/tokens/pepper';
import { tryTransact } from '../lib/work/transactions';

type RecorderDeps = Deps<'recorder'>;
/** Tokens a call; the CLI sends as many calls as it needs. */
const TOKENS_PER_CALL_MAX = 100;

export async function recordLegacy(
  { ring, tokens }: Messages['recorder']['request'],
  deps: RecorderDeps,
): Promise<Messages['recorder']['response']> {
  if (tokens.length > TOKENS_PER_CALL_MAX)
    throw new CurfewError('ERR_INPUT_INVALID', `the call has more than ${TOKENS_PER_CALL_MAX} tokens`, {
      got: tokens.length,
    });
  const head = await deps.tables.get(RING_HEAD, ring);
  if (!head) throw new CurfewError('ERR_NOT_FOUND', `no ring ${ring}`, { got: ring });
  const pepper = await pepperOf(deps);

  let recorded = 0;
  const refused: { n: number; code: string }[] = [];
  for (const [n, compact] of tokens.entries()) {
    try {
      const { token, key, claims } = await parse(ring, head.cfg, compact, deps);
      await record({ ring, token, key, claims, pepper, fence: head.fence }, deps);
      // If we stop here, those so far are in; the caller sends all again, and each counts as recorded.
      recorded++;
    } catch (error) {
      if (!isCurfewError(error) || !isOfToken(error)) throw error;
      refused.push({ n, code: error.code });
    }
  }
  return { recorded, refused };
}

/** What is wrong with one token is answered, and the others go on. A row that cannot be read, or an outage, is of no token. */
function isOfToken({ code }: CurfewError): boolean {
  return code.startsWith('ERR_TOKEN_') || code === 'ERR_CONDITION_FAILED';
}

async function parse(ring: string, cfg: RingSettings, compact: string, { tables, clock }: RecorderDeps) {
  const token = parseCompact(compact);
  const { alg, kid, typ } = token.header;
  const key = await tables.get(RING_KEY, ring, kid);
  if (key?.kind !== 'legacy' || key.state !== 'OBSERVED' || clock.now() > key.verifyUntil)
    throw new CurfewError('ERR_TOKEN_KID_STATE', 'only tokens of an OBSERVED legacy key can be recorded', {
      got: key && { state: key.state, verifyUntil: key.verifyUntil },
      allowed: 'OBSERVED, before its end',
    });
  if (alg !== key.alg || typ !== ACCESS_TOKEN_TYP)
    throw new CurfewError('ERR_TOKEN_HEADER', 'alg or typ is not that of the key', {
      got: { alg, typ },
      allowed: { alg: key.alg, typ: ACCESS_TOKEN_TYP },
    });
  // It will have to fit under a key of the ring one day: a kid of ours has 43 characters.
  draftToken({ alg: cfg.alg, kid: 'k'.repeat(43) }, token.payload);
  if (!isSigned(key.jwk, token.signingInput, token.signature))
    throw new CurfewError('ERR_TOKEN_SIGNATURE', 'the signature does not verify under the legacy key', { got: kid });
  const claims = parseClaims(
    token.payload,
    { issuer: cfg.iss, audience: cfg.aud, maxTtlSeconds: cfg.maxTtlSeconds, skewSeconds: cfg.skewSeconds },
    clock.now(),
  );
  return { token, key, claims };
}

interface Recordable {
  readonly ring: string;
  readonly token: CompactToken;
  readonly key: KeyRecord;
  readonly claims: Claims;
  readonly pepper: string;
  readonly fence: number;
}

async function record(
  { ring, token, key, claims, pepper, fence }: Recordable,
  { tables, clock, random }: RecorderDeps,
): Promise<void> {
  const blinded = blindSubjects(pepper, claims);
  const now = clock.now();
  const outId = outIdAt(now, random);
  const writes = recordAdopted({ ring, key, fence, claims, token, blinded, callerArn: 'legacy-issuer', now, outId });
  if (await tryTransact(tables, writes)) return;
  // Recording a token twice is success, if it is this very token that the row holds.
  const row = await tables.get(LEDGER_ROW, key, jtiHash(claims.jti));
  if (row?.tokenSha256 !== token.tokenSha256)
    throw new CurfewError('ERR_CONDITION_FAILED', 'the token cannot be recorded', {
      fix: 'its jti was recorded with another token, its subject is blocked, or its key is not OBSERVED any more',
    });
}

export const handler = entry('recorder', recordLegacy);
