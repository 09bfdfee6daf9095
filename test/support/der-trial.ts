/** Signatures whose halves are random, often short, or at an edge, through our reader of DER: how many come out wrong. */
import { fromDer } from '../../lib/domain/jose/signature';
import { derSignature } from './der';
import { bytesOf, ORDER } from './keys';
import { seeded, seedFor } from './seeded';

export const orderOf = (width: number) => ORDER[width] as bigint;

/** What fromDer owes: r and the lower s, each in its full width. */
export function expectedHex(r: bigint, s: bigint, width: number): string {
  const n = orderOf(width);
  return bytesOf(r, width).toString('hex') + bytesOf(s > n / 2n ? n - s : s, width).toString('hex');
}

/** One byte, the top bit of a byte set and clear, and where s and n − s change places. */
export function edgesOf(width: number): bigint[] {
  const n = orderOf(width);
  const edges = [1n, 0x7fn, 0x80n, 0xffn, n / 2n - 1n, n / 2n, n / 2n + 1n, n - 2n, n - 1n];
  for (let bits = 1n; bits < BigInt(width) * 8n; bits++) edges.push(1n << bits, (1n << bits) - 1n);
  return edges.filter((half) => half > 0n && half < n);
}

export function derFailures(width: 32 | 48, count: number): number {
  const draw = seeded(seedFor(`DER, ${width} bytes a half`));
  const edges = edgesOf(width);
  const n = orderOf(width);
  /** One in eight is an edge, one in eight has leading zeros. */
  const half = (): bigint => {
    const kind = draw();
    if (kind < 0.125) return edges[Math.floor(draw() * edges.length)] as bigint;
    let value = 0n;
    const words = kind < 0.25 ? 1 + Math.floor((draw() * width) / 4) : width / 4;
    for (let word = 0; word < words; word++) value = (value << 32n) | BigInt(Math.floor(draw() * 2 ** 32));
    return 1n + (value % (n - 1n));
  };
  let failures = 0;
  for (let tried = 0; tried < count; tried++) {
    const [r, s] = [half(), half()];
    if (fromDer(derSignature(r, s), width).toString('hex') !== expectedHex(r, s, width)) failures++;
  }
  return failures;
}
