/** TypeScript that a document shows: type-checked as a file of this project, then loaded and used. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT } from './page';

export async function compiled(file: string, source: string, use: (shown: unknown) => unknown): Promise<void> {
  const within = join(PROJECT, '.curfew', `docs-${process.pid}-${file.replace('.ts', '')}`);
  mkdirSync(within, { recursive: true });
  try {
    writeFileSync(join(within, file), source);
    writeFileSync(
      join(within, 'tsconfig.json'),
      JSON.stringify({ extends: '../../tsconfig.json', include: [file], exclude: [] }),
    );
    const { status, stdout } = spawnSync(join(PROJECT, 'node_modules', '.bin', 'tsc'), ['-p', within], {
      encoding: 'utf8',
    });
    expect([stdout, status]).toEqual(['', 0]);
    await use(require(join(within, file)));
  } finally {
    rmSync(within, { recursive: true, force: true });
  }
}
