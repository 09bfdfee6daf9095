/** Bytes that look random and repeat by seed: SHA-256 of the run, a seed and a counter. For tests only. */
import { sha256 } from '../domain/base/encoding';
import type { Random } from '../ports';

let run = '';

/** Stands before every seed: all worlds of one run draw other bytes than those of another. */
export function seedRun(seed: string): void {
  run = seed;
}

export class SeededRandom implements Random {
  private drawn = 0;

  constructor(private readonly seed: string) {}

  bytes(length: number): Buffer {
    const blocks: Buffer[] = [];
    for (let have = 0; have < length; have += 32) blocks.push(sha256(`${run}:${this.seed}:${this.drawn++}`));
    return Buffer.concat(blocks).subarray(0, length);
  }
}
