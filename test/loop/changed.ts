/** Which files changed, as git tells: in the last commit, since then, and not yet known to it. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT } from './run-folder';

/** From the project's root; what was removed is not among them. */
export function changedFiles(): string[] {
  // A clone of one commit has none before it: then nothing changed but what is not committed.
  const before = git('rev-parse', '--verify', '--quiet', 'HEAD~1').length > 0 ? 'HEAD~1' : 'HEAD';
  const changed = [...git('diff', '--name-only', before), ...git('ls-files', '--others', '--exclude-standard')];
  return [...new Set(changed)].filter((file) => existsSync(join(PROJECT, file))).sort();
}

function git(...args: readonly string[]): string[] {
  const { status, stdout } = spawnSync('git', args, { cwd: PROJECT, encoding: 'utf8' });
  return status === 0 ? stdout.split('\n').filter((line) => line !== '') : [];
}
