/** What records claim of tokens, checked against the lists they commit to: issued tokens, and the waves that re-signed them. */

import type { Json } from '../base/encoding';
import { CurfewError } from '../base/errors';
import type { EvidenceRecord } from '../evidence/record';
import { describeTokenList, parseTokenList, type TokenListEntry } from '../evidence/token-list';
import { ordered } from '../store/table';
import { shardRoot, waveRoot } from '../tokens/wave';

/** Tokens of a kid that stand in a committed list: H(jti) to digest and shard. The union of all its lists. */
type CommittedTokens = ReadonlyMap<
  string,
  ReadonlyMap<string, { readonly tokenSha256: string; readonly shard: number }>
>;

interface Lists {
  read(path: string): Buffer | undefined;
  list(): readonly string[];
}

/** `lists/{kid}/{shard}/{digest}`: in a bundle nobody asks by time. */
export function bundleListPath(kid: string, entry: TokenListEntry): string {
  return `lists/${kid}/${ordered(entry.shard, 2)}/${entry.sha256}`;
}

/** The lists that a `tokens.issued` record commits to. */
export function listsOf({ id, body }: EvidenceRecord): {
  readonly kid: string;
  readonly entries: readonly TokenListEntry[];
} {
  const { kid, count, lists } = body;
  const entries = Array.isArray(lists) ? (lists as unknown as readonly TokenListEntry[]) : [];
  const sum = entries.reduce((total, entry) => total + Number(entry?.count), 0);
  if (
    typeof kid !== 'string' ||
    !/^[\w-]{1,64}$/.test(kid) ||
    !entries.every(isEntry) ||
    entries.length === 0 ||
    sum !== count
  )
    throw new CurfewError(
      'ERR_EVIDENCE_RECORD',
      `${id} has no kid, no lists with shard, count, sha256 and root, or another count than their sum`,
    );
  return { kid, entries };
}

export function checkTokenLists(records: readonly EvidenceRecord[], files: Lists): CommittedTokens {
  const committed = new Map<string, Map<string, { tokenSha256: string; shard: number }>>();
  const named = new Set<string>();
  for (const record of records) {
    if (record.type !== 'tokens.issued') continue;
    const { kid, entries } = listsOf(record);
    const tokens = committed.get(kid) ?? new Map<string, { tokenSha256: string; shard: number }>();
    committed.set(kid, tokens);
    for (const entry of entries) {
      const path = bundleListPath(kid, entry);
      named.add(path);
      for (const { jtiH, tokenSha256 } of readList(files, path, entry)) {
        if ((tokens.get(jtiH)?.tokenSha256 ?? tokenSha256) !== tokenSha256)
          throw new CurfewError('ERR_EVIDENCE_TREE', `two tokens of ${kid} were committed under one jti`, {
            got: jtiH,
          });
        tokens.set(jtiH, { tokenSha256, shard: entry.shard });
      }
    }
  }
  const stray = files.list().find((path) => path.startsWith('lists/') && !named.has(path));
  if (stray !== undefined) throw new CurfewError('ERR_EVIDENCE_TREE', `no record commits to ${stray}`, { got: stray });
  return committed;
}

function readList(files: Lists, path: string, entry: TokenListEntry) {
  const bytes = files.read(path);
  if (!bytes) throw new CurfewError('ERR_EVIDENCE_INCOMPLETE', `${path} is missing`, { got: path });
  const { count, sha256, root } = describeTokenList(entry.shard, bytes.toString('latin1'));
  if (sha256 !== entry.sha256 || root !== entry.root || count !== entry.count)
    throw new CurfewError('ERR_EVIDENCE_TREE', `${path} is not the list that its record commits to`, {
      got: { count, sha256, root },
      allowed: entry,
    });
  return parseTokenList(bytes);
}

/**
 * Re-derives each finished wave: the tokens that stand under its old kid and, by the same jti, under its new one.
 *
 * Two issuers may have used one jti. The wave leaves such a token out, as `poison`, but the lists do not show that the
 * token under the new kid is no version of it. So a wave of another case may show as many pairs more as it left out:
 * what is wrong with it is for that case's own bundle to say, and must not end all others.
 */
export function checkWaves(records: readonly EvidenceRecord[], committed: CommittedTokens, caseId: string): void {
  for (const { id, type, case: of, body } of records) {
    if (type !== 'wave.completed') continue;
    const { fromKid, toKid, source, done, excluded, root } = body;
    const counts = Object.values((excluded ?? {}) as Record<string, Json>);
    if (Number(done) + counts.reduce<number>((sum, n) => sum + Number(n), 0) !== source)
      throw new CurfewError('ERR_EVIDENCE_TREE', `${id} does not account for every token of its source`, {
        got: { source, done, excluded },
      });

    const wave = deriveWave(committed, String(fromKid), String(toKid));
    const poison = Number((excluded as { readonly poison?: Json } | undefined)?.poison ?? 0);
    const surplus = wave.done - Number(done);
    const ours = of === caseId || (Array.isArray(body.cases) && body.cases.includes(caseId));
    if (!ours && surplus > 0 && surplus <= poison) continue;
    if (wave.done !== done || wave.root !== root)
      throw new CurfewError('ERR_EVIDENCE_TREE', `${id} commits to other tokens than the lists show`, {
        got: { done, root },
        allowed: wave,
        fix: surplus < 0 ? 'export again: re-signed tokens are committed up to a minute after their wave' : undefined,
      });
  }
}

function deriveWave(committed: CommittedTokens, fromKid: string, toKid: string): { done: number; root: string } {
  const shards = new Map<number, { jtiH: string; oldSha256: string; newSha256: string }[]>();
  for (const [jtiH, { tokenSha256: oldSha256, shard }] of committed.get(fromKid) ?? []) {
    const resigned = committed.get(toKid)?.get(jtiH);
    if (!resigned) continue;
    const pairs = shards.get(shard) ?? [];
    pairs.push({ jtiH, oldSha256, newSha256: resigned.tokenSha256 });
    shards.set(shard, pairs);
  }
  const passes = [...shards].map(([shard, pairs]) => ({ shard, done: pairs.length, root: shardRoot(pairs) }));
  return { done: passes.reduce((sum, { done }) => sum + done, 0), root: waveRoot(passes) };
}

function isEntry(entry: TokenListEntry): boolean {
  return (
    Number.isSafeInteger(entry?.shard) &&
    Number.isSafeInteger(entry.count) &&
    [entry.sha256, entry.root].every((digest) => typeof digest === 'string' && /^[\w-]{43}$/.test(digest))
  );
}
