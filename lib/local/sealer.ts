/** Personal data under one key per person, in memory: text form as on AWS, and shredding that really forgets. */
import { CurfewError } from '../domain/base/errors';
import { DEK_BYTES, IV_BYTES, openField, sealField } from '../domain/evidence/sealed';
import type { Random, Sealer } from '../ports';

export class MemorySealer implements Sealer {
  private readonly deks = new Map<string, Buffer>();

  constructor(private readonly random: Random) {}

  async seal(pseudonym: string, context: string, clear: string): Promise<string> {
    await null;
    const dek = this.deks.get(pseudonym) ?? this.random.bytes(DEK_BYTES);
    this.deks.set(pseudonym, dek);
    return sealField(dek, this.random.bytes(IV_BYTES), { pseudonym, context }, clear);
  }

  async open(pseudonym: string, context: string, sealed: string): Promise<string> {
    await null;
    const dek = this.deks.get(pseudonym);
    if (!dek) throw new CurfewError('ERR_NOT_FOUND', 'the key of this person is gone; the fields are erased');
    return openField(dek, { pseudonym, context }, sealed);
  }

  shred(pseudonym: string): void {
    this.deks.delete(pseudonym);
  }
}
