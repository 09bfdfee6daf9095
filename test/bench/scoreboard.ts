/** Rows of the scoreboard: what was measured, what it should be, and how the nearest peer does in the same run. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export interface Row {
  /** As the scoreboard names the measurement; `V` and `S` are speeds, told as ratios only. */
  readonly id: string;
  readonly what: string;
  readonly figure: string;
  readonly goal: string;
  readonly ok: boolean;
  /** Who did the same in the same run, in turns with us. */
  readonly peer?: string;
}

/** How much a run measures. */
export interface Extent {
  readonly states: number;
  readonly requests: number;
}

export const count = (n: number) => n.toLocaleString('en-GB');

const OUT = resolve(__dirname, '..', '..', 'bench-out');

/** One line a row, and all of them as JSON; a red figure is published like a green one. */
export function publish(rows: readonly Row[], log: (line: string) => void): void {
  const table = [
    ['id', 'what', 'figure', 'goal', 'peer', ''],
    ...rows.map(({ id, what, figure, goal, peer = '', ok }) => [id, what, figure, goal, peer, ok ? '' : 'RED']),
  ];
  const widths = table[0]?.map((_cell, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? [];
  log('');
  for (const row of table)
    log(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
  mkdirSync(OUT, { recursive: true });
  writeFileSync(join(OUT, 'scoreboard.json'), `${JSON.stringify(rows, null, 2)}\n`);
}
