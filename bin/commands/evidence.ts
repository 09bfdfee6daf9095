/**
 * `curfew evidence export --case ID DIR` and `curfew evidence verify DIR [--vkey KEY] [--earlier FILE]`.
 *
 * Rules of its output: standard output carries the verdict, one check a line, and nothing else; no capitals but FAIL,
 * no final periods; what a failed check found stands below it with its code; the exit code is the verdict.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import {
  BUNDLE_FILE,
  type BundleFiles,
  CHECKPOINT_FILE,
  formatDescription,
  judgeBundle,
  VERIFIER_KEY_FILE,
  type Verdict,
} from '../../lib/domain/audit/bundle';
import { bundleListPath, listsOf } from '../../lib/domain/audit/token-claims';
import { CurfewError } from '../../lib/domain/base/errors';
import { type EvidenceRecord, parseRecord } from '../../lib/domain/evidence/record';
import { tokenListKey } from '../../lib/domain/evidence/token-list';
import { verifyCheckpoint } from '../../lib/domain/tlog/checkpoint';
import { parseVerifierKey } from '../../lib/domain/tlog/note';
import { parseEntries, TILE_WIDTH, type Tile, tilePath, tilesOf } from '../../lib/domain/tlog/tile';
import type { Clock, Objects } from '../../lib/ports';
import { type Commands, instanceOf, optional, text } from './command';

export const EVIDENCE_COMMANDS = {
  'evidence export': {
    usage: 'DIR --case CASE',
    says: 'copy the log and what a case needs of it',
    takes: 1,
    run: async ([dir = ''], options) => {
      const caseId = text(options, 'case');
      const exported = await exportBundle({ case: caseId, dir }, await instanceOf(options));
      return { json: exported, text: `${exported.size} records of ${exported.origin} in ${exported.files} files` };
    },
  },
  'evidence verify': {
    usage: 'DIR [--vkey KEY] [--earlier FILE]',
    says: 'verify a bundle offline; the exit code is the verdict',
    takes: 1,
    run: async ([dir = ''], options) => {
      const pinned = { vkey: optional(options, 'vkey'), earlier: optional(options, 'earlier') };
      const { verdict, text: said, exitCode } = verifyBundle(dir, pinned);
      const { records: _records, ...json } = verdict;
      return { json, text: said, exitCode };
    },
  },
} as const satisfies Commands;

/** What exporting needs: to read the two buckets of the log, and the time. */
interface ExportDeps {
  readonly objects: Objects<'evidence:get' | 'heads:get'>;
  readonly clock: Clock;
}

interface Exported {
  readonly files: number;
  readonly size: number;
  readonly origin: string;
}

/** Requests under way at once. */
const PARALLEL = 16;

/** Copies the log as it stands at its latest checkpoint. The folder must be new or empty: two logs in one are none. */
export async function exportBundle(
  { case: caseId, dir }: { readonly case: string; readonly dir: string },
  { objects, clock }: ExportDeps,
): Promise<Exported> {
  if (existsSync(dir) && readdirSync(dir).length > 0)
    throw new CurfewError('ERR_INPUT_INVALID', `${dir} is not empty`, { got: dir, fix: 'give a new folder' });

  // The checkpoint is read once and first: all that it commits to was published before it and never changes.
  const signed = await fetch(objects, 'heads', CHECKPOINT_FILE);
  const vkey = await fetch(objects, 'evidence', VERIFIER_KEY_FILE);
  const { checkpoint } = verifyCheckpoint(signed, parseVerifierKey(vkey.toString('utf8').trim()));

  const tiles = tilesOf(checkpoint.size);
  const files = await inTurns(
    tiles,
    async (tile): Promise<[string, Buffer]> => [tilePath(tile), await fetchTile(objects, tile)],
  );
  const records = tiles.flatMap((tile, i) => (tile.level === 'entries' ? recordsIn(files[i]?.[1], tile) : []));
  const lists = await inTurns(
    listsNamedBy(records),
    async ([path, key]): Promise<[string, Buffer]> => [path, await fetch(objects, 'evidence', key)],
  );

  const description = formatDescription({ v: 1, case: caseId, origin: checkpoint.origin, madeAt: clock.now() });
  const all: [string, Buffer][] = [
    ...files,
    ...lists,
    [VERIFIER_KEY_FILE, vkey],
    [CHECKPOINT_FILE, signed],
    [BUNDLE_FILE, Buffer.from(description)],
  ];
  for (const [path, bytes] of all) writeUnder(dir, path, bytes);
  return { files: all.length, size: checkpoint.size, origin: checkpoint.origin };
}

interface VerifiedBundle {
  readonly verdict: Verdict;
  readonly text: string;
  /** 0 only when every check holds. */
  readonly exitCode: 0 | 1;
}

/** Reads nothing but the folder, and the file of a checkpoint kept from before: no AWS, no network. */
export function verifyBundle(
  dir: string,
  { vkey, earlier }: { readonly vkey?: string; readonly earlier?: string } = {},
): VerifiedBundle {
  for (const path of [dir, ...(earlier === undefined ? [] : [earlier])])
    if (!existsSync(path)) throw new CurfewError('ERR_NOT_FOUND', `there is no ${path}`, { got: path });
  const kept = earlier === undefined ? undefined : readFileSync(earlier);
  const verdict = judgeBundle(folder(dir), { vkey, earlier: kept });
  return { verdict, text: formatVerdict(verdict), exitCode: verdict.ok ? 0 : 1 };
}

function formatVerdict({ ok, case: caseId, checkpoint, checks, notes }: Verdict): string {
  const width = Math.max(...checks.map(({ id }) => id.length));
  const lines = checks.flatMap(({ ok: holds, id, claim, code, detail, fix }) => [
    `${holds ? 'ok  ' : 'FAIL'}  ${id.padEnd(width)}  ${claim}`,
    ...(holds ? [] : [`${' '.repeat(width + 8)}${code}: ${detail}`]),
    ...(fix === undefined ? [] : [`${' '.repeat(width + 8)}${fix}`]),
  ]);
  const log = checkpoint ? `${checkpoint.origin}, ${checkpoint.size} records` : 'unknown log';
  const result = ok ? 'the evidence holds' : 'the evidence does not hold';
  return [
    `case ${caseId ?? 'unknown'} in ${log}`,
    '',
    ...lines,
    '',
    ...notes.map((note) => `note: ${note}`),
    result,
    '',
  ].join('\n');
}

/** A bundle on disk. */
export function folder(dir: string): BundleFiles {
  const paths = readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(dir, join(entry.parentPath, entry.name)).split(sep).join('/'));
  const known = new Set(paths);
  return { list: () => paths, read: (path) => (known.has(path) ? readFileSync(join(dir, path)) : undefined) };
}

function fetchTile(objects: ExportDeps['objects'], tile: Tile): Promise<Buffer> {
  return fetch(objects, tile.width === TILE_WIDTH ? 'evidence' : 'heads', tilePath(tile));
}

async function fetch(objects: ExportDeps['objects'], bucket: 'evidence' | 'heads', key: string): Promise<Buffer> {
  const object = await objects.get(bucket, key);
  if (object) return object.body;
  throw new CurfewError('ERR_NOT_FOUND', `${key} is not in bucket ${bucket}`, {
    got: key,
    fix: 'wait for the first checkpoint: the sequencer runs every minute',
  });
}

function recordsIn(bytes: Buffer | undefined, { width }: Tile): EvidenceRecord[] {
  return bytes ? parseEntries(bytes, width).map(parseRecord) : [];
}

/** Where each list goes in the bundle, and its key in the bucket. */
function listsNamedBy(records: readonly EvidenceRecord[]): [string, string][] {
  const named = records.flatMap((record): [string, string][] => {
    if (record.type !== 'tokens.issued') return [];
    const { kid, entries } = listsOf(record);
    return entries.map((entry) => [
      bundleListPath(kid, entry),
      tokenListKey(kid, entry.shard, record.at, entry.sha256),
    ]);
  });
  return [...new Map(named)];
}

function writeUnder(dir: string, path: string, bytes: Buffer): void {
  const file = join(dir, ...path.split('/'));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, bytes);
}

async function inTurns<T, R>(all: readonly T[], effect: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < all.length; at += PARALLEL)
    results.push(...(await Promise.all(all.slice(at, at + PARALLEL).map(effect))));
  return results;
}
