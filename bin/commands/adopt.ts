/** `curfew adopt record RING FILE`: one compact token a line goes into the ledger, under the caller's right to invoke. */
import { readFileSync } from 'node:fs';
import type { Instance } from '../instance';

const TOKENS_PER_CALL = 50;

export async function adoptRecord(
  { functions }: Instance,
  ring: string,
  file: string,
  progress: (line: string) => void,
) {
  const tokens = readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
  let recorded = 0;
  const refused: { line: number; code: string }[] = [];
  for (let at = 0; at < tokens.length; at += TOKENS_PER_CALL) {
    const answer = await functions.invoke('recorder', { ring, tokens: tokens.slice(at, at + TOKENS_PER_CALL) });
    recorded += answer.recorded;
    refused.push(...answer.refused.map(({ n, code }) => ({ line: at + n + 1, code })));
    progress(`${recorded} of ${tokens.length} recorded`);
  }
  const text = [
    `${recorded} recorded, ${refused.length} refused`,
    ...refused.map(({ line, code }) => `line ${line}: ${code}`),
  ].join('\n');
  return { json: { recorded, refused }, text, exitCode: refused.length === 0 ? 0 : 1 };
}
