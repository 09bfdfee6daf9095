/** A small log made without the sequencer: what it should have written, by the definitions alone. */
import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { formatDescription } from '../../../lib/domain/audit/bundle';
import { sha256 } from '../../../lib/domain/base/encoding';
import { type EvidenceRecord, formatRecord } from '../../../lib/domain/evidence/record';
import { formatCheckpoint } from '../../../lib/domain/tlog/checkpoint';
import { leafHash, merkleRoot } from '../../../lib/domain/tlog/merkle';
import {
  formatNote,
  formatVerifierKey,
  keyHashOf,
  type VerifierKey,
  verifierKeyOf,
} from '../../../lib/domain/tlog/note';
import { formatEntries, tilePath, tilesOf } from '../../../lib/domain/tlog/tile';

/** An Ed25519 key that is the same in every run. */
export class TestKey {
  readonly verifier: VerifierKey;
  private readonly privateKey: KeyObject;

  constructor(name: string) {
    const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), sha256(name)]);
    this.privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    this.verifier = verifierKeyOf(name, createPublicKey(this.privateKey).export({ format: 'der', type: 'spki' }));
  }

  signNote(text: string): Buffer {
    const signature = sign(null, Buffer.from(text), this.privateKey);
    const line = { name: this.verifier.name, keyHash: keyHashOf(this.verifier), signature };
    return Buffer.from(formatNote({ text, signatures: [line] }));
  }
}

/** Files of a bundle, to be changed by a test. */
export class MemoryBundle {
  constructor(readonly files: Map<string, Buffer>) {}

  read(path: string): Buffer | undefined {
    return this.files.get(path);
  }

  list(): readonly string[] {
    return [...this.files.keys()];
  }

  /** The same bundle with one file changed, or removed. */
  with(path: string, change: Buffer | string | ((bytes: Buffer) => Buffer | string) | undefined): MemoryBundle {
    const files = new Map(this.files);
    const before = files.get(path) ?? Buffer.alloc(0);
    const after = typeof change === 'function' ? change(before) : change;
    if (after === undefined) files.delete(path);
    else files.set(path, Buffer.from(after));
    return new MemoryBundle(files);
  }
}

export const ORIGIN = 'curfew.test/log';
export const LOG_KEY = new TestKey(ORIGIN);

/** Tiles straight from RFC 6962's definition: MTH over each range of leaves, no incremental state. */
export function tileFiles(entries: readonly Buffer[]): Map<string, Buffer> {
  const leaves = entries.map(leafHash);
  const files = new Map<string, Buffer>();
  for (const tile of tilesOf(entries.length)) {
    const first = tile.index * 256;
    if (tile.level === 'entries') {
      files.set(tilePath(tile), formatEntries(entries.slice(first, first + tile.width)));
      continue;
    }
    const span = 256 ** tile.level;
    const hashes = Array.from({ length: tile.width }, (_, i) =>
      merkleRoot(leaves.slice((first + i) * span, (first + i + 1) * span)),
    );
    files.set(tilePath(tile), Buffer.concat(hashes));
  }
  return files;
}

export function signedCheckpoint(entries: readonly Buffer[], key = LOG_KEY): Buffer {
  const root = merkleRoot(entries.map(leafHash));
  return key.signNote(formatCheckpoint({ origin: key.verifier.name, size: entries.length, root }));
}

/** A bundle over these records as they stand, well formed and well signed whatever they say. */
export function bundleOf(
  records: readonly (EvidenceRecord | string)[],
  options: { readonly case: string; readonly lists?: ReadonlyMap<string, string> },
): MemoryBundle {
  const entries = records.map((record) => Buffer.from(typeof record === 'string' ? record : formatRecord(record)));
  const files = tileFiles(entries);
  files.set('checkpoint', signedCheckpoint(entries));
  files.set('log.vkey', Buffer.from(`${formatVerifierKey(LOG_KEY.verifier)}\n`));
  files.set(
    'bundle.json',
    Buffer.from(formatDescription({ v: 1, case: options.case, origin: ORIGIN, madeAt: 1_800_000_000 })),
  );
  for (const [path, text] of options.lists ?? []) files.set(path, Buffer.from(text));
  return new MemoryBundle(files);
}
