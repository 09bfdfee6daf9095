/**
 * C2SP tlog-checkpoint: the text of a signed note that commits to a whole log.
 *
 *     curfew.example/evidence                           origin: which log
 *     923748                                            size: how many records
 *     nND/nri/U0xuHUrYSy0HtMeal2vzD9V4k/BO79C+QeI=      root of the tree of that size
 *
 * Extension lines are refused: a monitor of the log could not check what they say.
 */
import { CurfewError } from '../base/errors';
import { HASH_BYTES, type Hash } from './merkle';
import { type Note, parseNote, type VerifierKey, verifyNote } from './note';

export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Hash;
}

export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${root.toString('base64')}\n`;
}

export function parseCheckpoint(text: string): Checkpoint {
  const [origin = '', size = '', root = ''] = text.split('\n');
  const checkpoint = { origin, size: Number(size), root: Buffer.from(root, 'base64') };
  if (
    origin === '' ||
    !Number.isSafeInteger(checkpoint.size) ||
    checkpoint.size < 0 ||
    checkpoint.root.length !== HASH_BYTES ||
    formatCheckpoint(checkpoint) !== text
  )
    throw new CurfewError('ERR_EVIDENCE_FORMAT', 'the checkpoint is not three lines: origin, size, base64 root', {
      got: text.slice(0, 200),
    });
  return checkpoint;
}

export interface SignedCheckpoint {
  readonly checkpoint: Checkpoint;
  readonly note: Note;
}

/** Reads a signed checkpoint of the log that this key speaks for; its name is the origin. */
export function verifyCheckpoint(bytes: Uint8Array, key: VerifierKey): SignedCheckpoint {
  const note = parseNote(bytes);
  verifyNote(note, key);
  const checkpoint = parseCheckpoint(note.text);
  if (checkpoint.origin !== key.name)
    throw new CurfewError('ERR_EVIDENCE_SIGNATURE', 'the checkpoint is of another log than its key', {
      got: checkpoint.origin,
      allowed: key.name,
    });
  return { checkpoint, note };
}
