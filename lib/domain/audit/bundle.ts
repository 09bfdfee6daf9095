/**
 * The offline verdict over a bundle (docs/evidence-format.md, "Bundle" and "Verdict"): no AWS, no network, no clock.
 *
 * The whole log is in the bundle, so nothing is taken from a tile that is not recomputed from the entries: root, tiles
 * and lists either follow from the records or the check fails. A check that cannot be made has failed.
 */
import { canonicalJson, type Json } from '../base/encoding';
import { CurfewError, type ErrorCode, isCurfewError } from '../base/errors';
import { instant } from '../base/time';
import { type EvidenceRecord, parseRecord } from '../evidence/record';
import { type SignedCheckpoint, verifyCheckpoint } from '../tlog/checkpoint';
import { checkConsistency, leafHash, proveConsistency } from '../tlog/merkle';
import { keyHashOf, parseVerifierKey, type VerifierKey } from '../tlog/note';
import { type Edge, edgeRoot, edgeTiles, formatHashes, growEdge, parseEntries, tilePath, tilesOf } from '../tlog/tile';
import { checkManifest, checkOrder } from './manifest';
import { checkTokenLists, checkWaves } from './token-claims';

export const BUNDLE_FILE = 'bundle.json';
export const CHECKPOINT_FILE = 'checkpoint';
export const VERIFIER_KEY_FILE = 'log.vkey';

export interface BundleFiles {
  read(path: string): Buffer | undefined;
  /** Every path, with forward slashes, relative to the bundle. */
  list(): readonly string[];
}

/** Says which case to look at. Nothing in it is evidence. */
interface BundleDescription {
  readonly v: 1;
  readonly case: string;
  readonly origin: string;
  /** Epoch seconds of the export. */
  readonly madeAt: number;
}

export function formatDescription(description: BundleDescription): string {
  return `${canonicalJson(description as unknown as Json)}\n`;
}

interface VerifyOptions {
  /** Verifier key from a source other than the bundle. */
  readonly vkey?: string;
  /** A checkpoint of this log that was kept from before: this log must extend it. */
  readonly earlier?: Buffer;
}

export interface Check {
  readonly id: string;
  readonly claim: string;
  readonly ok: boolean;
  readonly code?: ErrorCode;
  readonly detail?: string;
  /** What to do about it, where that is known. */
  readonly fix?: string;
}

export interface IndexedRecord {
  readonly index: number;
  readonly record: EvidenceRecord;
}

export interface Verdict {
  /** Every check holds. */
  readonly ok: boolean;
  readonly case?: string;
  readonly keyFrom: 'pinned' | 'bundle';
  readonly checkpoint?: SignedCheckpoint['checkpoint'];
  readonly checks: readonly Check[];
  /** How many items of the case stand open by the word of two approvers: they are not proved. */
  readonly accepted: number;
  /** What the verdict does not say, in the reader's words. */
  readonly notes: readonly string[];
  /** The records, in their order in the tree; none unless tree and records hold. */
  readonly records: readonly IndexedRecord[];
}

export function judgeBundle(files: BundleFiles, options: VerifyOptions = {}): Verdict {
  const checks = new Checks();
  const caseId = checks.run('bundle', 'the bundle says which case it is about', [], () => readCase(files));
  const key = checks.run('key', 'there is one verifier key of the log', [], () => readKey(files, options));
  const signed = checks.run('signature', 'the checkpoint is signed with the key of the log', [key], (vkey) =>
    verifyCheckpoint(mustRead(files, CHECKPOINT_FILE), vkey),
  );
  const entries = checks.run('tree', 'entries and tiles are all there and add up to the checkpoint', [signed], (log) =>
    readEntries(files, log),
  );
  if (options.earlier !== undefined) {
    const kept = options.earlier;
    checks.run('extends', 'the log extends the checkpoint that was kept', [key, signed, entries], (vkey, log, all) =>
      checkExtends(kept, vkey, log, all),
    );
  }
  const records = checks.run(
    'records',
    'every entry is a record in its one spelling, no id twice',
    [entries],
    readRecords,
  );
  const tokens = checks.run(
    'tokens',
    'every list of issued tokens is the one its record commits to',
    [records],
    (all) => checkTokenLists(all, files),
  );
  checks.run(
    'waves',
    'every finished wave commits to exactly the tokens re-signed',
    [records, tokens, caseId],
    checkWaves,
  );
  const manifest = checks.run('manifest', 'every record that the case owes is there', [records, caseId], checkManifest);
  // The order of what is missing would hold, and say nothing.
  const complete = manifest.value && records;
  checks.run(
    'order',
    'nothing in the case is dated before what it follows from',
    [complete ?? { id: manifest.id }, caseId],
    checkOrder,
  );

  const accepted = acceptedIn(records.value ?? [], caseId.value);
  const keyFrom = options.vkey === undefined ? 'bundle' : 'pinned';
  return {
    ok: checks.made.every(({ ok }) => ok),
    case: caseId.value,
    keyFrom,
    checkpoint: signed.value?.checkpoint,
    checks: checks.made,
    accepted: countAccepted(accepted),
    notes: [
      ...notesOnAccepted(accepted),
      ...notesOnRechecks(records.value ?? [], caseId.value),
      ...notesOn(keyFrom, key.value, signed.value, files),
      ...notesOnUnreadable(records.value ?? [], caseId.value),
    ],
    records: (records.value ?? []).map((record, index) => ({ index, record })),
  };
}

/** What a check found; no value where it failed. */
interface Found<T> {
  readonly id: string;
  readonly value?: T;
}

class Checks {
  readonly made: Check[] = [];

  run<N extends readonly unknown[], T>(
    id: string,
    claim: string,
    needs: { readonly [I in keyof N]: Found<N[I]> },
    check: (...values: N) => T,
  ): Found<T> {
    try {
      const values = needs.map((need) => this.needed(need)) as unknown as N;
      const value = check(...values);
      this.made.push({ id, claim, ok: true });
      return { id, value };
    } catch (error) {
      if (!isCurfewError(error)) throw error;
      this.made.push({ id, claim, ok: false, code: error.code, detail: error.message, fix: error.fix });
      return { id };
    }
  }

  private needed<V>({ id, value }: Found<V>): V {
    if (value !== undefined) return value;
    const code = this.made.find((check) => check.id === id)?.code ?? 'ERR_EVIDENCE_INCOMPLETE';
    throw new CurfewError(code, `not checked: the check "${id}" failed`);
  }
}

function readCase(files: BundleFiles): string {
  const text = mustRead(files, BUNDLE_FILE).toString('utf8');
  const { v, case: caseId, origin, madeAt } = parseMembers(text);
  const description = { v, case: caseId, origin, madeAt } as BundleDescription;
  const typed = v === 1 && typeof caseId === 'string' && typeof origin === 'string' && Number.isSafeInteger(madeAt);
  if (!typed || formatDescription(description) !== text)
    throw new CurfewError(
      'ERR_EVIDENCE_FORMAT',
      `${BUNDLE_FILE} is not the canonical JSON of v, case, origin and madeAt`,
    );
  return description.case;
}

function parseMembers(text: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(text)) as Record<string, unknown>;
  } catch (cause) {
    throw new CurfewError('ERR_EVIDENCE_FORMAT', `${BUNDLE_FILE} is not JSON`, { cause });
  }
}

function readKey(files: BundleFiles, { vkey: pinned }: VerifyOptions): VerifierKey {
  const text = mustRead(files, VERIFIER_KEY_FILE).toString('utf8');
  const inBundle = parseVerifierKey(text.endsWith('\n') ? text.slice(0, -1) : '');
  if (pinned !== undefined && pinned.trim() !== text.trim())
    throw new CurfewError('ERR_EVIDENCE_SIGNATURE', `${VERIFIER_KEY_FILE} is not the pinned key`, {
      got: text.trim(),
      allowed: pinned.trim(),
    });
  return inBundle;
}

/** Rebuilds every tile from the entries and compares bytes; a file under tile/ that the size does not call for is refused. */
function readEntries(files: BundleFiles, { checkpoint }: SignedCheckpoint): readonly Buffer[] {
  const { size, root } = checkpoint;
  const tiles = tilesOf(size);
  const called = new Set(tiles.map(tilePath));
  const stray = files.list().find((path) => path.startsWith('tile/') && !called.has(path));
  if (stray !== undefined)
    throw new CurfewError('ERR_EVIDENCE_TREE', `a log of ${size} records has no tile ${stray}`, { got: stray });

  const bundles = tiles.filter(({ level }) => level === 'entries');
  const entries = bundles.flatMap((tile) => parseEntries(mustRead(files, tilePath(tile)), tile.width));
  const grown = growEdge([] as Edge, 0, entries.map(leafHash));
  for (const [tile, hashes] of [...grown.full, ...edgeTiles(grown.edge, size)]) {
    const path = tilePath(tile);
    if (!mustRead(files, path).equals(formatHashes(hashes)))
      throw new CurfewError('ERR_EVIDENCE_TREE', `the tile ${path} does not follow from the entries`, { got: path });
  }
  if (!edgeRoot(grown.edge).equals(root))
    throw new CurfewError('ERR_EVIDENCE_TREE', 'the entries do not hash to the root of the checkpoint');
  return entries;
}

/** The proof a witness would ask for, made from the entries at hand. */
function checkExtends(kept: Buffer, key: VerifierKey, { checkpoint }: SignedCheckpoint, entries: readonly Buffer[]) {
  const { checkpoint: earlier } = verifyCheckpoint(kept, key);
  const proof = earlier.size > entries.length ? [] : proveConsistency(entries.map(leafHash), earlier.size);
  checkConsistency(earlier, checkpoint, proof);
}

function readRecords(entries: readonly Buffer[]): EvidenceRecord[] {
  const records = entries.map(parseRecord);
  const seen = new Set<string>();
  for (const { id } of records) {
    if (seen.has(id)) throw new CurfewError('ERR_EVIDENCE_RECORD', `two records have the id ${id}`, { got: id });
    seen.add(id);
  }
  return records;
}

function notesOn(
  keyFrom: Verdict['keyFrom'],
  key: VerifierKey | undefined,
  signed: SignedCheckpoint | undefined,
  files: BundleFiles,
): string[] {
  const others = (signed?.note.signatures ?? []).filter(
    ({ name, keyHash }) => !key || name !== key.name || !keyHash.equals(keyHashOf(key)),
  );
  const known = [BUNDLE_FILE, CHECKPOINT_FILE, VERIFIER_KEY_FILE];
  const beside = files.list().filter((path) => !known.includes(path) && !/^(tile|lists)\//.test(path));
  return [
    ...(keyFrom === 'bundle' ? ['key taken from the bundle: pin the one you were given with --vkey'] : []),
    `not independent of the operator: no signature of an outside witness${others.length > 0 ? `; not judged: ${others.map(({ name }) => name).join(', ')}` : ''}`,
    ...(beside.length > 0 ? [`not part of the evidence: ${beside.join(', ')}`] : []),
  ];
}

/** Of the case itself one fails the manifest. Of a ring or of nobody it is said: the log lacks something, and not what. */
function notesOnUnreadable(records: readonly EvidenceRecord[], caseId: string | undefined): string[] {
  const others = records.filter((record) => record.type === 'record.unreadable' && record.case !== caseId);
  if (others.length === 0) return [];
  const of = others.map(({ case: other, ring, id }) => `${id} of ${other ?? ring ?? 'unknown'}`).join(', ');
  return [`the log lacks ${others.length} records that could not be read: ${of}`];
}

function acceptedIn(records: readonly EvidenceRecord[], caseId: string | undefined): readonly EvidenceRecord[] {
  return records.filter(({ type, case: of }) => type === 'case.accepted' && of === caseId);
}

const itemsIn = ({ body }: EvidenceRecord) => (Array.isArray(body.items) ? body.items.length : 0);

function countAccepted(accepted: readonly EvidenceRecord[]): number {
  return accepted.reduce((sum, record) => sum + itemsIn(record), 0);
}

function notesOnAccepted(accepted: readonly EvidenceRecord[]): string[] {
  return accepted.map(
    (record) =>
      `not proved, but accepted by two approvers until ${instant(Number(record.body.until))}: ${itemsIn(record)} items of the case (${record.id}); case ${String(record.body.linked)} proves them again`,
  );
}

/** The proof of the closing stands; what came after it, the last look could not tell of these. */
function notesOnRechecks(records: readonly EvidenceRecord[], caseId: string | undefined): string[] {
  const last = records.find(({ type, case: of }) => type === 'case.rechecked' && of === caseId);
  const unseen = Array.isArray(last?.body.unseen) ? last.body.unseen.length : 0;
  return unseen === 0
    ? []
    : [`the last look could not tell whether ${unseen} items of the case were still shut (${last?.id})`];
}

function mustRead(files: BundleFiles, path: string): Buffer {
  const bytes = files.read(path);
  if (bytes) return bytes;
  throw new CurfewError('ERR_EVIDENCE_INCOMPLETE', `${path} is missing`, { got: path });
}
