/**
 * The templates of every configuration in test/constructs/configurations.ts, read by PyPI's cfn-lint, which knows what
 * CloudFormation takes. It is pinned, and stands in `.curfew/` as the local AWS does: about 180 MB, once.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pythonWith } from '../../emulator/python';
import type { Run } from './command';
import { differences } from './deployer-actions';
import { type Result, run, speakerOf, timed } from './part';
import { PROJECT } from './run-folder';

const PART = 'cfn-lint';
const PINS = ['cfn-lint==1.58.0'] as const;
/** An environment that was renamed into its place is run as `python`, not by its scripts. */
const MAIN = 'import sys; from cfnlint.runner import main; sys.exit(main())';
/** More than all of its findings take as text. */
const OUTPUT_BYTES_MAX = 64 * 2 ** 20;

/** What cfn-lint says and we let stand, each with its reason. A row that nothing is said of any more fails. */
const ACKNOWLEDGED: Readonly<Record<string, string>> = {
  W3005:
    'CDK writes DependsOn for what a Ref orders already: a function after its role and the policy on it. It is the policy that must be there first, and the role comes with it.',
};

interface Finding {
  readonly Filename: string;
  readonly Message: string;
  readonly Location: { readonly Path?: readonly (string | number)[] };
  readonly Rule: { readonly Id: string };
}

export function templatesLinted({ folder, env }: Run): Promise<Result> {
  const speak = speakerOf(PART);
  return timed(PART, async () => {
    const python = await pythonWith(join(PROJECT, '.curfew', PART), PINS, () =>
      speak(`preparing ${PINS.join(', ')}: once, about 180 MB`),
    );
    const templates = join(folder, 'cfn-lint');
    mkdirSync(templates);
    const args = ['--import', 'tsx', 'test/constructs/write-templates.ts', templates];
    if ((await run({ part: PART, command: process.execPath, args, env })) !== 0) return { passed: 0, failed: 1 };

    const files = readdirSync(templates).map((name) => join(templates, name));
    const findings = found(python, files);
    const serious = findings.filter(({ Rule }) => !(Rule.Id in ACKNOWLEDGED));
    for (const finding of serious) speak(textOf(finding));
    const stale = Object.keys(ACKNOWLEDGED).filter((id) => !findings.some(({ Rule }) => Rule.Id === id));
    for (const id of stale) speak(`cfn-lint does not say ${id} any more: take it out of ${__filename}`);
    const seesMistakes = found(python, [mistaken(templates)]).some(({ Rule }) => Rule.Id === 'E3002');
    if (!seesMistakes) speak('cfn-lint did not see a property that no bucket has: it does not look');

    const different = await differences(python);
    for (const line of different) speak(line);

    const bad = new Set(serious.map(({ Filename }) => Filename)).size;
    const others = stale.length + different.length + (seesMistakes ? 0 : 1);
    return { passed: files.length - bad, failed: bad + others };
  });
}

function found(python: string, templates: readonly string[]): readonly Finding[] {
  const { stdout, stderr } = spawnSync(python, ['-c', MAIN, '--format', 'json', '--template', ...templates], {
    encoding: 'utf8',
    maxBuffer: OUTPUT_BYTES_MAX,
  });
  if (!stdout.trim().startsWith('[')) throw new Error(`cfn-lint gave no findings but: ${stderr || stdout}`);
  return JSON.parse(stdout) as readonly Finding[];
}

/** What a linter that runs must find. */
function mistaken(folder: string): string {
  const file = join(folder, 'mistaken.json');
  writeFileSync(
    file,
    JSON.stringify({ Resources: { Mine: { Type: 'AWS::S3::Bucket', Properties: { Colour: 'red' } } } }),
  );
  return file;
}

function textOf({ Filename, Message, Location, Rule }: Finding): string {
  return `${Filename.split('/').at(-1)} ${Location.Path?.join('/') ?? ''}: ${Rule.Id} ${Message}`;
}
