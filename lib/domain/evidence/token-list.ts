/**
 * Lists of issued tokens: what a `tokens.issued` record commits to, digests only (docs/evidence-format.md, "Token lists").
 *
 *     <H(jti)> <H(compact JWS)>\n        one line a token, lines sorted, none twice
 *
 * A token may stand in more than one list: a count takes the union (lambdas/committer.ts says why).
 */
import { H, parseBase64url } from '../base/encoding';
import { CurfewError } from '../base/errors';
import { ordered } from '../store/table';
import { HASH_BYTES, type Hash, leafHash, merkleRoot } from '../tlog/merkle';

export interface TokenDigest {
  readonly jtiH: string;
  readonly tokenSha256: string;
}

/** What a `tokens.issued` record says of one list; its body is `{kid, count, lists}`. */
export interface TokenListEntry {
  readonly [member: string]: string | number;
  readonly shard: number;
  readonly count: number;
  /** H(list), which is also the last part of its key. */
  readonly sha256: string;
  /** RFC 6962 root, base64url; a leaf is a line without its newline. */
  readonly root: string;
}

export function formatTokenList(tokens: readonly TokenDigest[]): string {
  const lines = new Set(tokens.map(({ jtiH, tokenSha256 }) => `${jtiH} ${tokenSha256}\n`));
  return [...lines].sort().join('');
}

export function parseTokenList(bytes: Uint8Array): TokenDigest[] {
  const text = Buffer.from(bytes).toString('latin1');
  const tokens = linesOf(text).map((line) => {
    const [jtiH = '', tokenSha256 = '', ...rest] = line.split(' ');
    if (rest.length > 0 || ![jtiH, tokenSha256].every(isDigest))
      throw new CurfewError('ERR_EVIDENCE_FORMAT', 'a line of the token list is not two digests', { got: line });
    return { jtiH, tokenSha256 };
  });
  if (tokens.length === 0 || formatTokenList(tokens) !== text)
    throw new CurfewError(
      'ERR_EVIDENCE_FORMAT',
      'the lines of the token list are not sorted, distinct and newline-terminated',
    );
  return tokens;
}

export function describeTokenList(shard: number, list: string): TokenListEntry {
  const lines = linesOf(list);
  return { shard, count: lines.length, sha256: H(list), root: linesRoot(lines).toString('base64url') };
}

/** RFC 6962 root over lines of text. */
export function linesRoot(lines: readonly string[]): Hash {
  return merkleRoot(lines.map((line) => leafHash(Buffer.from(line))));
}

/**
 * Where a list is kept in bucket `evidence`: by the instant it was committed, so that whoever asks for live tokens
 * reads the lists of one token life, not of the key's whole life.
 *
 *     issued/<kid>/<shard>/<at, 10 digits>-<H(list)>
 */
export function tokenListKey(kid: string, shard: number, at: number, sha256OfList: string): string {
  return `${tokenListPrefix(kid, shard)}${ordered(at, 10)}-${sha256OfList}`;
}

export function tokenListPrefix(kid: string, shard: number): string {
  return `issued/${kid}/${ordered(shard, 2)}/`;
}

/** Every list committed at `at` or later sorts after this. */
export function tokenListsFrom(kid: string, shard: number, at: number): string {
  return `${tokenListPrefix(kid, shard)}${ordered(at, 10)}`;
}

function linesOf(text: string): string[] {
  return text.split('\n').slice(0, -1);
}

function isDigest(text: string): boolean {
  return parseBase64url(text)?.length === HASH_BYTES;
}

/** Lists are named by their content: what was read is what was written, or it is refused. */
export function checkTokenListName(list: Uint8Array, key: string): void {
  if (!key.endsWith(`-${H(list)}`))
    throw new CurfewError('ERR_EVIDENCE_TREE', 'the token list has another digest than its name', {
      got: H(list),
      allowed: key,
    });
}
