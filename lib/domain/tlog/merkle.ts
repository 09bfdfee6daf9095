/**
 * The Merkle tree of RFC 6962 section 2.1 over SHA-256: roots and consistency proofs.
 *
 * Everything takes hashes and returns hashes: where they are kept is not known here. A proof is the list of hashes that
 * the RFC calls a "Merkle consistency proof". `checkConsistency` throws, `proveConsistency` computes.
 */
import { createHash } from 'node:crypto';
import { CurfewError } from '../base/errors';

export const HASH_BYTES = 32;
export const EMPTY_ROOT = createHash('sha256').digest();

export type Hash = Buffer;
type Proof = readonly Hash[];

/** The prefix byte parts leaves from nodes: no node can be passed off as an entry. */
export function leafHash(entry: Uint8Array): Hash {
  return createHash('sha256').update('\x00').update(entry).digest();
}

export function nodeHash(left: Hash, right: Hash): Hash {
  return createHash('sha256').update('\x01').update(left).update(right).digest();
}

/** MTH of RFC 6962, over leaf hashes, or over the roots of perfect subtrees of one size. */
export function merkleRoot(leaves: readonly Hash[]): Hash {
  const [only] = leaves;
  if (only === undefined) return EMPTY_ROOT;
  if (leaves.length === 1) return only;
  const split = largestPowerOfTwoBelow(leaves.length);
  return nodeHash(merkleRoot(leaves.slice(0, split)), merkleRoot(leaves.slice(split)));
}

/** PROOF(m, D[n]): proves that the tree of the first `size` leaves is a prefix of the tree of all of them. */
export function proveConsistency(leaves: readonly Hash[], size: number): Proof {
  if (!Number.isSafeInteger(size) || size < 0 || size > leaves.length)
    throw new CurfewError('ERR_INPUT_INVALID', `a tree of ${leaves.length} has no prefix of size ${size}`);
  return size === 0 ? [] : subproof(leaves, size, true);
}

/** SUBPROOF(m, D[n], b): `known` while the prefix is a whole subtree whose root the checker already has. */
function subproof(leaves: readonly Hash[], size: number, known: boolean): Proof {
  if (size === leaves.length) return known ? [] : [merkleRoot(leaves)];

  const split = largestPowerOfTwoBelow(leaves.length);
  const left = leaves.slice(0, split);
  const right = leaves.slice(split);
  return size <= split
    ? [...subproof(left, size, known), merkleRoot(right)]
    : [...subproof(right, size - split, false), merkleRoot(left)];
}

/** RFC 9162 section 2.1.4.2. Any tree is consistent with the empty one and with itself, by an empty proof. */
export function checkConsistency(
  earlier: { size: number; root: Hash },
  later: { size: number; root: Hash },
  proof: Proof,
): void {
  if (!isSize(earlier.size) || !isSize(later.size) || earlier.size > later.size)
    throw refuse(`a tree of ${later.size} cannot follow one of ${earlier.size}`);
  if (![earlier.root, later.root, ...proof].every(isHash)) throw refuse(`a hash is not ${HASH_BYTES} bytes`);

  if (earlier.size === 0 || earlier.size === later.size) {
    if (proof.length > 0) throw refuse('the consistency proof is too long');
    if (earlier.size === 0 && !earlier.root.equals(EMPTY_ROOT)) throw refuse('the empty tree has another root');
    if (earlier.size === later.size && !earlier.root.equals(later.root)) throw refuse('one size has two roots');
    return;
  }

  // A prefix that is one perfect subtree: its root is not in the proof, the checker has it already.
  const [first, ...rest] = isPowerOfTwo(earlier.size) ? [earlier.root, ...proof] : proof;
  if (first === undefined || rest.length === 0) throw refuse('the consistency proof is too short');

  let [node, last] = [earlier.size - 1, later.size - 1];
  while (node % 2 === 1) [node, last] = [half(node), half(last)];
  let [before, after] = [first, first];
  for (const sibling of rest) {
    if (last === 0) throw refuse('the consistency proof is too long');
    if (node % 2 === 1 || node === last) {
      before = nodeHash(sibling, before);
      after = nodeHash(sibling, after);
      [node, last] = climbToRightChild(node, last);
    } else {
      after = nodeHash(after, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  if (last !== 0) throw refuse('the consistency proof is too short');
  if (!before.equals(earlier.root)) throw refuse('the earlier root is not a prefix of the later tree');
  if (!after.equals(later.root)) throw refuse('the proof leads to another later root');
}

/** A left child at the right edge has no sibling at its level: go up to where it is a right child. */
function climbToRightChild(node: number, last: number): [number, number] {
  let [n, l] = [node, last];
  while (n % 2 === 0 && n !== 0) [n, l] = [half(n), half(l)];
  return [n, l];
}

// Sizes may exceed 32 bits: no bit operators.
const half = (n: number) => Math.floor(n / 2);
const isSize = (n: number) => Number.isSafeInteger(n) && n >= 0;
const isHash = (hash: Hash) => hash.length === HASH_BYTES;

function largestPowerOfTwoBelow(n: number): number {
  let power = 1;
  while (power * 2 < n) power *= 2;
  return power;
}

function isPowerOfTwo(n: number): boolean {
  return largestPowerOfTwoBelow(n) * 2 === n || n === 1;
}

function refuse(message: string): CurfewError {
  return new CurfewError('ERR_EVIDENCE_TREE', message);
}
