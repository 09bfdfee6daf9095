/**
 * Mirrors lambdas/issuer.ts and issuing-key.ts, and of resigner.ts what decides over a wave: its kids, its order and its last
 * transaction. All shards of a wave are one here, and every committed token is in a committed list.
 */

import { CurfewError, isCurfewError } from '../../../lib/domain/base/errors';
import type { KeyRecord } from '../../../lib/domain/rings/ring';
import { RING_HEAD } from '../../../lib/domain/store/ring-head';
import { RING_KEY } from '../../../lib/domain/store/ring-key';
import type { Row } from '../../../lib/domain/store/table';
import { WAVE } from '../../../lib/domain/store/wave';
import type { Claims } from '../../../lib/domain/tokens/claims';
import { excludedRow } from '../../../lib/domain/tokens/eligibility';
import {
  type Issuance,
  type LedgerRow,
  recordIntent,
  recordIssued,
  recordResigned,
} from '../../../lib/domain/tokens/ledger';
import { effect, read, type Script } from './script';
import { type HeldToken, type Issuing, MODEL_CFG, type ModelWorld, RING } from './world';

const TRIES_MAX = 3;
const KEPT_SECONDS = 2;

/** `issue` */
export function* issue(world: ModelWorld): Script {
  for (let n = 1; ; n++) {
    try {
      return yield* issueOnce(world, yield* issuingKey(world, n > 1));
    } catch (error) {
      if (!isCurfewError(error, 'ERR_KEY_STATE') || n === TRIES_MAX) throw error;
    }
  }
}

function* issueOnce(world: ModelWorld, { key, fence }: Issuing): Script {
  const now = world.now;
  const jti = world.unique();
  const { iss, aud, maxTtlSeconds } = MODEL_CFG;
  const claims: Claims = { iss, aud, sub: 'member', client_id: 'web', jti, iat: now, exp: now + maxTtlSeconds };
  const payload = Buffer.from(jti);
  const writes = [recordIntent(key, claims, { protected: '', payload })];
  yield* effect('tables.transact', writes, () => world.transact(writes));
  yield* effect('signer.sign', '', () => signInFlight(world, key));
  const last = recordIssued(issuanceOf(world, key, claims, payload, fence));
  try {
    yield* effect('tables.transact', last, () => {
      world.transact(last);
      release(world, { jti, kid: key.kid, claims, payload });
    });
  } catch (error) {
    if (isCurfewError(error, 'ERR_CONDITION_FAILED')) throw yield* whyRefused(world, key.kid);
    throw error;
  }
}

/** Of one warm Lambda, which all issues of a life share: what it keeps is as old as it may be. */
function* issuingKey(world: ModelWorld, fresh: boolean): Script<Issuing> {
  const { kept } = world;
  if (kept && !fresh && world.now - kept.at < KEPT_SECONDS) return kept;
  const at = world.now;
  world.kept = undefined;
  const found = yield* readIssuing(world);
  world.kept = { ...found, at };
  return found;
}

function* readIssuing(world: ModelWorld): Script<Issuing> {
  const head = yield* read('tables.get', 'HEAD', () => world.store.get('keys', RING_HEAD.key(RING)));
  if (head?.halted) throw new CurfewError('ERR_RING_HALTED', 'issuance is halted');
  if (head?.closingAt !== undefined) throw new CurfewError('ERR_RING_CLOSING', 'the ring is closing');
  const activeKid = head?.activeKid as string | undefined;
  const key =
    activeKid && (yield* read('tables.get', 'KEY#', () => world.store.get('keys', RING_KEY.key(RING, activeKid))));
  if (!head || !key) throw new CurfewError('ERR_KEY_STATE', 'no key issues');
  return { key: recordOf(key), fence: head.fence as number };
}

/** KMS's refusal of a signature that was asked for under the ACTIVE key is a failed request, and not a reason to ask again. */
function signInFlight(world: ModelWorld, key: KeyRecord): void {
  try {
    world.kms.sign('issuer', key.kmsKeyArn ?? '');
  } catch (error) {
    const excused = world.now > key.signUntil || world.kms.key(key.kmsKeyArn ?? '').tampered;
    if (!excused) world.broken.push('an issue in flight is told to ask again, never failed');
    throw error;
  }
}

/** The answer to the caller: by a transaction that tests everything, so here it is a token that somebody holds. */
function release(world: ModelWorld, token: HeldToken): void {
  const ring = world.ring();
  if (ring?.activeKid !== token.kid) world.broken.push('one key issues');
  if (ring?.halted || ring?.closingAt !== undefined) world.broken.push('a halted or closing ring issues nothing');
  world.tokens.push(token);
}

function* whyRefused(world: ModelWorld, kid: string): Script<CurfewError> {
  const { key } = yield* issuingKey(world, true);
  return new CurfewError(key.kid === kid ? 'ERR_SUBJECT_BLOCKED' : 'ERR_KEY_STATE', 'ask again');
}

/** `resignBatch` over every row of the kid. Answers how many rows it still found. */
export function* resign(
  world: ModelWorld,
  fromKid: string,
): Script<{ readonly found: number; readonly toKid: string | undefined }> {
  const wave = yield* read('tables.get', 'WAVE#', () => world.store.get('keys', WAVE.key(RING, fromKid)));
  // Its key was RETIRED before the taint came: there is nothing to re-sign.
  if (wave?.state !== 'OPEN') return { found: 0, toKid: undefined };
  const toKid = wave.toKid as string;
  const [head, source, target] = [RING_HEAD.key(RING), RING_KEY.key(RING, fromKid), RING_KEY.key(RING, toKid)].map(
    (key) => world.store.get('keys', key),
  );
  if (!head || !source || !target) throw new Error(`the model has no wave of ${fromKid}`);
  let found = 0;
  for (const token of world.tokens.filter(({ kid }) => kid === fromKid)) {
    if (world.tokens.some(({ jti, kid }) => kid === toKid && jti === token.jti)) continue;
    if (isExcluded(world, token, recordOf(source))) continue;
    yield* effect('signer.sign', '', () => world.kms.sign('resigner', recordOf(target).kmsKeyArn ?? ''));
    const issuance = issuanceOf(world, recordOf(target), token.claims, token.payload, head.fence as number);
    const writes = recordResigned(issuance, fromKid);
    try {
      yield* effect('tables.transact', writes, () => {
        world.transact(writes);
        world.tokens.push({ ...token, kid: toKid, resignOf: fromKid });
      });
      found++;
    } catch (error) {
      if (!isCurfewError(error, 'ERR_CONDITION_FAILED')) throw error;
      if (world.tokens.some(({ jti, kid }) => kid === toKid && jti === token.jti)) continue;
      throw new CurfewError('ERR_KEY_STATE', `key ${toKid} stopped issuing during the wave`);
    }
  }
  return { found, toKid };
}

function isExcluded(world: ModelWorld, { claims, jti }: HeldToken, source: KeyRecord): boolean {
  const row = { iat: claims.iat, exp: claims.exp, tokenSha256: jti } as LedgerRow;
  const context = { source, drainSeconds: MODEL_CFG.drainSeconds, now: world.now, committed: new Set([jti]) };
  return excludedRow(row, context) !== undefined;
}

function issuanceOf(world: ModelWorld, key: KeyRecord, claims: Claims, payload: Buffer, fence: number): Issuance {
  const token = {
    header: { alg: key.alg, kid: key.kid, typ: 'at+jwt' },
    protected: '',
    payload,
    signature: payload,
    signingInput: payload,
    tokenSha256: `${key.kid}/${claims.jti}`,
  };
  const now = world.now;
  return {
    ring: RING,
    key,
    fence,
    claims,
    token,
    blinded: ['sub', 'client_id'],
    callerArn: 'model',
    now,
    outId: world.unique(),
  };
}

function recordOf(item: Row): KeyRecord {
  return item as unknown as KeyRecord;
}
