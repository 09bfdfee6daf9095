/** The evidence: exported under the auditor's read-only role, verified offline, and shown to break when it is touched. */
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportBundle, verifyBundle } from '../bin/commands/evidence';
import { Instance } from '../bin/edge/instance';
import type { IndexedRecord } from '../lib/domain/audit/bundle';
import type { Before } from './before';
import { assumeRole } from './cast';
import type { Stage } from './stage';

export async function prove(stage: Stage, { cast }: Before, caseId: string): Promise<readonly IndexedRecord[]> {
  const { instance, checks, out, dir } = stage;
  const bundle = join(out, 'evidence');
  mkdirSync(bundle, { recursive: true });
  const credentials = await assumeRole(cast.auditor, instance.output('EvidenceReaderRoleArn'));
  // As the CLI finds and reads it, with no right but the reader's.
  await exportBundle({ case: caseId, dir: bundle }, await Instance.find(instance.name, { credentials }));

  const { verdict } = verifyBundle(bundle);
  const manifest = verdict.checks.find(({ id }) => id === 'manifest');
  checks.claim('manifest-complete', 'every record that the inventory of the case asks for is in the tree', 'ok', {
    answer: manifest?.ok ? 'ok' : (manifest?.detail ?? 'no such check'),
    by: 'curfew evidence verify',
  });
  checks.claim('evidence-verifies-offline', 'the bundle verifies offline, tiles, lists, waves and manifest', 'ok', {
    answer: verdict.ok
      ? 'ok'
      : verdict.checks
          .filter(({ ok }) => !ok)
          .map(({ id, code }) => `${id} ${code}`)
          .join(', '),
    by: `curfew evidence verify, ${verdict.checkpoint?.size ?? 0} records`,
  });
  tampered(stage, bundle, join(dir, 'tampered'));
  return verdict.records;
}

/** One byte in the middle of one entry bundle. */
function tampered({ checks }: Stage, bundle: string, copy: string): void {
  cpSync(bundle, copy, { recursive: true });
  const entries = readdirSync(join(copy, 'tile', 'entries'), { recursive: true, withFileTypes: true }).find((entry) =>
    entry.isFile(),
  );
  if (!entries) throw new Error('the bundle has no entries');
  const file = join(entries.parentPath, entries.name);
  const bytes = readFileSync(file);
  const middle = Math.floor(bytes.length / 2);
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  writeFileSync(file, bytes);
  const { verdict } = verifyBundle(copy);
  const code = verdict.checks.find(({ ok }) => !ok)?.code;
  checks.claim(
    'tampered-evidence-refused',
    'with one bit of one record flipped the bundle does not verify',
    'refused',
    { answer: verdict.ok ? 'ok' : 'refused', by: `curfew evidence verify, ${code}` },
  );
}
