/**
 * Rules of every command's output: results on standard output, progress and errors on standard error with `curfew:`;
 * no capitals but states and FAIL, no final periods; an error carries its code and a hint; the exit code is the verdict.
 */
import { isCurfewError } from '../../lib/domain/base/errors';

export function progress(line: string): void {
  process.stderr.write(`curfew: ${line}\n`);
}

export function fail(error: unknown): void {
  if (!isCurfewError(error)) {
    process.stderr.write(`curfew: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    return;
  }
  process.stderr.write(`curfew: ${error.message} (${error.code})\n`);
  if (error.got !== undefined) process.stderr.write(`curfew: got ${JSON.stringify(error.got)}\n`);
  if (error.allowed !== undefined) process.stderr.write(`curfew: allowed ${JSON.stringify(error.allowed)}\n`);
  if (error.fix) process.stderr.write(`curfew: hint: ${error.fix}\n`);
}

/** Columns as wide as their widest cell. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

/** Lines of at most `width` characters, broken between words; a word that is longer, as a URL, stays whole. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

export const WIDTH_DEFAULT = 80;

/** How wide a drawing may be, and whether the reader's terminal has more than ASCII; a pipe has no width of its own. */
export function drawingFor(
  { columns }: { readonly columns?: number },
  { LC_ALL, LC_CTYPE, LANG }: Readonly<Record<string, string | undefined>>,
): { readonly width: number; readonly unicode: boolean } {
  return { width: columns ?? WIDTH_DEFAULT, unicode: /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || '') };
}
