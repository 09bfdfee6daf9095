/**
 * `curfew evidence report DIR [--out FILE] [--summary FILE] [--vkey KEY]`: verifies the bundle, and writes one page over it.
 *
 * The page is written whatever the verdict, because a reader needs most of all to see the evidence that does not hold.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { CHECKPOINT_FILE, VERIFIER_KEY_FILE } from '../../lib/domain/audit/bundle';
import { CurfewError } from '../../lib/domain/base/errors';
import { formatReport, type Report } from '../../lib/report/page';
import { parseSummary, type Summary } from '../../lib/report/summary';
import { type Commands, optional } from './command';
import { folder, verifyBundle } from './evidence';

export const REPORT_COMMANDS = {
  'evidence report': {
    usage: 'DIR [--out FILE] [--summary FILE] [--vkey KEY]',
    says: 'one HTML page that a non-engineer can read',
    takes: 1,
    run: async ([dir = ''], options) => {
      const out = optional(options, 'out') ?? 'report.html';
      const written = writeReport({ dir, out, summary: optional(options, 'summary'), vkey: optional(options, 'vkey') });
      return { json: written, text: `wrote ${out}`, exitCode: written.exitCode };
    },
  },
} as const satisfies Commands;

interface ReportRequest {
  readonly dir: string;
  readonly out: string;
  /** Path of the summary of the run that made the bundle. */
  readonly summary?: string;
  readonly vkey?: string;
}

interface WrittenReport {
  readonly out: string;
  readonly outcome: Report['outcome'];
  /** 0 only where everything is proved. */
  readonly exitCode: 0 | 1;
}

export function writeReport({ dir, out, summary, vkey }: ReportRequest): WrittenReport {
  const { verdict } = verifyBundle(dir, { vkey });
  const files = folder(dir);
  const { outcome, page } = formatReport({
    verdict,
    summary: summary === undefined ? undefined : readSummary(summary, verdict.case),
    checkpoint: files.read(CHECKPOINT_FILE)?.toString('utf8'),
    verifierKey: vkey ?? files.read(VERIFIER_KEY_FILE)?.toString('utf8'),
  });
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(out, page);
  return { out, outcome, exitCode: outcome === 'proved' ? 0 : 1 };
}

/** A summary of another case would put another run's observations beside this evidence. */
function readSummary(path: string, caseId: string | undefined): Summary {
  if (!existsSync(path)) throw new CurfewError('ERR_NOT_FOUND', `there is no summary ${path}`, { got: path });
  const summary = parseSummary(readFileSync(path, 'utf8'));
  if (caseId === undefined || summary.case === caseId) return summary;
  throw new CurfewError('ERR_INPUT_INVALID', 'the summary is of another case than the evidence', {
    got: summary.case,
    allowed: caseId,
  });
}
