/** Bytes that look random and are the same in every run: SHA-256 of a seed and a counter. For tests only. */
import { sha256 } from '../domain/base/encoding';
import type { Random } from '../ports';

export class SeededRandom implements Random {
  private drawn = 0;

  constructor(private readonly seed: string) {}

  bytes(length: number): Buffer {
    const blocks: Buffer[] = [];
    for (let have = 0; have < length; have += 32) blocks.push(sha256(`${this.seed}:${this.drawn++}`));
    return Buffer.concat(blocks).subarray(0, length);
  }
}
