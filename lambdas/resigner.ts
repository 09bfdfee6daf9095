/**
 * Re-signs what the ledger holds under a tainted kid: a new JWS over the same payload bytes, under the ACTIVE kid.
 *
 * One batch of a wave is some shards. For each row: was it issued and committed, may it live on, are the bytes the
 * recorded ones? Only then a signature is made. What nobody recorded is never even read: there is nothing to launder.
 */

import { entry } from '../lib/aws/entry';
import { CurfewError, isCurfewError } from '../lib/domain/base/errors';
import type { Messages } from '../lib/domain/deployment/messages';
import { checkTokenListName, parseTokenList, tokenListPrefix, tokenListsFrom } from '../lib/domain/evidence/token-list';
import type { CutOff } from '../lib/domain/feed/feed';
import { parseCompact } from '../lib/domain/jose/compact';
import { isSigned } from '../lib/domain/jose/signature';
import type { KeyRecord } from '../lib/domain/rings/ring';
import { CUT_OFF } from '../lib/domain/store/cut-off';
import { put } from '../lib/domain/store/entity';
import { BODY, LEDGER_ROW, type LedgerRow } from '../lib/domain/store/ledger';
import { RING_HEAD } from '../lib/domain/store/ring-head';
import { RING_KEY } from '../lib/domain/store/ring-key';
import { SHARD_PASS, WAVE } from '../lib/domain/store/wave';
import { type Claims, readClaims } from '../lib/domain/tokens/claims';
import { blindSubjects } from '../lib/domain/tokens/cut-off';
import { draftToken, isDraftable } from '../lib/domain/tokens/draft';
import { type Exclusion, excludedBody, excludedRow } from '../lib/domain/tokens/eligibility';
import { type Body, isVersionOf, recordResigned, tokenOf } from '../lib/domain/tokens/ledger';
import { type ResignCounts, type ResignedPair, type ShardPass, shardRoot } from '../lib/domain/tokens/wave';
import type { Deps } from '../lib/ports';
import { outIdAt } from '../lib/work/tokens/out-id';
import { pepperOf } from '../lib/work/tokens/pepper';
import { sealToken } from '../lib/work/tokens/seal';
import { tryTransact } from '../lib/work/transactions';

const LISTS_AT_ONCE = 16;
/** The issuer before us dated its tokens by a clock of its own; more than the largest skew a ring forgives. */
const CLOCK_MARGIN_SECONDS = 120;

type ResignerDeps = Deps<'resigner'>;
type Request = Messages['resigner']['request'];

type CommittedRow = LedgerRow & { readonly jtiH: string };

interface Run {
  readonly ring: string;
  readonly source: KeyRecord;
  readonly target: KeyRecord;
  readonly fence: number;
  readonly drainSeconds: number;
  readonly pepper: string;
}

export async function resignBatch(request: Request, deps: ResignerDeps): Promise<ResignCounts> {
  const run = await load(request, deps);
  let found = 0;
  let done = 0;
  const excluded: Record<string, number> = {};
  for (const shard of request.shards) {
    const pass = (await settledPass(run, shard, request, deps)) ?? (await resignShard(run, shard, request.pass, deps));
    // If we stop here, the shard is re-signed and not counted: run again, it finds its rows done and counts them.
    await deps.tables.transact([put(SHARD_PASS, [request.ring, request.fromKid, request.pass, shard], pass)]);
    found += pass.found;
    done += pass.resigned;
    for (const [why, n] of Object.entries(pass.excluded)) excluded[why] = (excluded[why] ?? 0) + n;
  }
  return { found, resigned: done, excluded };
}

/** What a batch that was cut short has done already is not done again, but for a later pass that found something. */
async function settledPass(
  run: Run,
  shard: number,
  { ring, fromKid, pass }: Request,
  { tables }: ResignerDeps,
): Promise<ShardPass | undefined> {
  const known = await tables.get(SHARD_PASS, ring, fromKid, pass, shard);
  return known?.toKid !== run.target.kid || (pass > 1 && known.found > 0) ? undefined : known;
}

/** The wave says where to, not the batch: an activation since the batch was cut has moved the wave on. */
async function load({ ring, fromKid }: Request, deps: ResignerDeps): Promise<Run> {
  const wave = await deps.tables.get(WAVE, ring, fromKid);
  if (!wave) throw new CurfewError('ERR_NOT_FOUND', `ring ${ring} has no wave of key ${fromKid}`, { got: fromKid });
  const { toKid } = wave;
  const [head, source, target] = await Promise.all([
    deps.tables.get(RING_HEAD, ring),
    deps.tables.get(RING_KEY, ring, fromKid),
    deps.tables.get(RING_KEY, ring, toKid),
  ]);
  if (!head || !source || !target)
    throw new CurfewError('ERR_NOT_FOUND', `ring ${ring} lacks a key of the wave`, { got: { fromKid, toKid } });
  const { fence, cfg } = head;
  return { ring, source, target, fence, drainSeconds: cfg.drainSeconds, pepper: await pepperOf(deps) };
}

/**
 * A committed list is named by its digest; a row whose digest is in none was never committed. A list is never older
 * than its tokens, so the oldest live row says where to begin: it costs a token life, whatever the age of the key.
 */
async function committedDigests(
  kid: string,
  shard: number,
  from: number,
  { objects }: ResignerDeps,
): Promise<Set<string>> {
  const committed = new Set<string>();
  const keys = await objects.list('evidence', tokenListPrefix(kid, shard), tokenListsFrom(kid, shard, from));
  for (let at = 0; at < keys.length; at += LISTS_AT_ONCE)
    await Promise.all(
      keys.slice(at, at + LISTS_AT_ONCE).map(async (key) => {
        const body = (await objects.get('evidence', key))?.body ?? Buffer.alloc(0);
        checkTokenListName(body, key);
        for (const { tokenSha256 } of parseTokenList(body)) committed.add(tokenSha256);
      }),
    );
  return committed;
}

async function resignShard(run: Run, shard: number, pass: number, deps: ResignerDeps): Promise<ShardPass> {
  const { source, target, drainSeconds } = run;
  const rows = await deps.tables.query(LEDGER_ROW.in(source.kid, shard));
  const resigned = await deps.tables.query(LEDGER_ROW.in(target.kid, shard));
  const there = new Map(resigned.map((row) => [row.jtiH, row]));
  const live = rows.filter(({ exp }) => exp > deps.clock.now()).map(({ iat }) => iat);
  const committed =
    live.length > 0
      ? await committedDigests(source.kid, shard, Math.min(...live) - CLOCK_MARGIN_SECONDS, deps)
      : new Set<string>();
  const pairs: ResignedPair[] = [];
  const excluded: Partial<Record<Exclusion, number>> = {};
  let found = 0;

  // Newest first: the tokens in use are the young ones.
  for (const row of rows.sort((a, b) => b.iat - a.iat)) {
    const known = there.get(row.jtiH);
    if (known && isVersionOf(known, row)) {
      pairs.push({ jtiH: row.jtiH, oldSha256: row.tokenSha256, newSha256: known.tokenSha256 });
      continue;
    }
    const context = { source, drainSeconds, now: deps.clock.now(), committed };
    const outcome = excludedRow(row, context) ?? (known ? 'poison' : await resignRow(run, row, deps));
    if (typeof outcome === 'string') {
      excluded[outcome] = (excluded[outcome] ?? 0) + 1;
      continue;
    }
    found++;
    pairs.push(outcome);
  }
  return {
    pass,
    shard,
    toKid: target.kid,
    source: rows.length,
    found,
    resigned: found,
    done: pairs.length,
    excluded,
    root: shardRoot(pairs),
  };
}

interface ReadBody {
  readonly claims: Claims;
  readonly payload: Buffer;
  readonly payloadSha256: string;
  readonly tokenSha256: string;
}

/**
 * The stored token, if it is one that the source key signed. That proves nothing of a stolen key; of our own it proves
 * that nobody who merely writes tables put the body there.
 */
function readBody(body: Body, source: KeyRecord): ReadBody | undefined {
  try {
    const { token, payload, payloadSha256 } = tokenOf(body);
    const { signingInput: input, signature, tokenSha256 } = parseCompact(token);
    if (!isSigned(source.jwk, input, signature)) return undefined;
    return { claims: readClaims(payload), payload, payloadSha256, tokenSha256 };
  } catch (error) {
    if (isCurfewError(error)) return undefined;
    throw error;
  }
}

async function resignRow(run: Run, row: CommittedRow, deps: ResignerDeps): Promise<ResignedPair | Exclusion> {
  const { ring, source, target, fence, pepper } = run;
  const body = await deps.tables.get(BODY, source, row.jtiH);
  const old = body && readBody(body, source);
  // A body that cannot be opened holds up no other row: it is counted, and stays as it is. A row of another shape stops
  // the batch.
  if (!old) return 'poison';
  const { claims, payload } = old;
  const cutOffs = await cutOffsOf(ring, claims, pepper, deps);
  const excluded = excludedBody({ row, ...old }, pepper, cutOffs);
  if (excluded) return excluded;

  if (!isDraftable(target, payload)) return 'poison';
  const token = await sealedUnder(run, payload, deps);
  const now = deps.clock.now();
  const blinded = blindSubjects(pepper, claims);
  const outId = outIdAt(now, deps.random);
  const { callerArn } = row;
  const writes = recordResigned(
    { ring, key: target, fence, claims, token, blinded, callerArn, now, outId },
    source.kid,
  );
  // If we stop before this, the signature is forgotten and made again; no caller ever held it.
  if (!(await tryTransact(deps.tables, writes))) return settle(run, row, deps);
  return { jtiH: row.jtiH, oldSha256: row.tokenSha256, newSha256: token.tokenSha256 };
}

/** A target that was found compromised meanwhile is disabled at once: the wave has moved on, and is not at an end. */
async function sealedUnder({ ring, target }: Run, payload: Buffer, { signer, tables }: ResignerDeps) {
  try {
    return await sealToken(signer, target, draftToken(target, payload));
  } catch (error) {
    if (isCurfewError(error, 'ERR_KEY_DISABLED') && (await tables.get(RING_HEAD, ring))?.activeKid !== target.kid)
      throw stoppedIssuing(target.kid, error);
    throw error;
  }
}

function stoppedIssuing(kid: string, cause?: unknown): CurfewError {
  return new CurfewError('ERR_KEY_STATE', `key ${kid} stopped issuing during the wave`, {
    fix: 'run the next pass: it re-signs these rows under the key that issues now',
    cause,
  });
}

/** The transaction was refused: another run was faster (its version stands), or the subject was just cut off. */
async function settle({ ring, target }: Run, row: CommittedRow, deps: ResignerDeps): Promise<ResignedPair | Exclusion> {
  const winner = await deps.tables.get(LEDGER_ROW, target, row.jtiH);
  if (winner) {
    const { tokenSha256, ...version } = winner;
    return isVersionOf(version, row)
      ? { jtiH: row.jtiH, oldSha256: row.tokenSha256, newSha256: tokenSha256 }
      : 'poison';
  }
  const head = await deps.tables.get(RING_HEAD, ring);
  if (head?.activeKid !== target.kid) throw stoppedIssuing(target.kid);
  return 'cut-off';
}

async function cutOffsOf(
  ring: string,
  claims: Claims,
  pepper: string,
  { tables }: ResignerDeps,
): Promise<Map<string, CutOff>> {
  const names = blindSubjects(pepper, claims);
  const found = await Promise.all(names.map((name) => tables.get(CUT_OFF, ring, name)));
  return new Map(found.flatMap((cutOff) => (cutOff === undefined ? [] : [[cutOff.blinded, cutOff]])));
}

export const handler = entry('resigner', resignBatch);
