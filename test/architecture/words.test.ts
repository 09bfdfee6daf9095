/** docs/words.md lists spellings that we do not use: no name of ours, in code or stored, has one of them. */
import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { COMMANDS } from '../../bin/commands';
import { STEPS } from '../../lib/domain/cases/steps';
import { COMMAND_RIGHTS, ROLES } from '../../lib/domain/deployment/access';
import { METRICS } from '../../lib/domain/deployment/metrics';
import { BUCKETS, RIGHTS } from '../../lib/domain/deployment/rights';
import { SETTINGS } from '../../lib/domain/deployment/settings';
import { RECORD_TYPES } from '../../lib/domain/evidence/record';
import { TABLES } from '../../lib/domain/store/table';
import { ROOMS } from './rooms';
import { FILES, PROJECT, textOf } from './sources';

/** Kinds that a rule may be limited to; the others are what a rule without a kind is about as well. */
const LIMITED = ['table', 'record', 'step', 'Lambda', 'type', 'member'] as const;

interface Name {
  readonly name: string;
  readonly kind: (typeof LIMITED)[number] | 'value' | 'file' | 'command' | 'stored' | 'word';
  readonly file: string;
  readonly line?: number;
}

interface Rule {
  readonly spelling: string;
  /** Only names of this kind, and then the whole name. */
  readonly kind?: string;
  readonly folder?: string;
}

/** Names that hold such a spelling and are not ours to choose, each with who chose it. */
const GIVEN: Readonly<Record<string, string>> = {
  SecretsManagerSecrets: 'AWS Secrets Manager is the name of a service',
  accessKeyId: 'IAM calls it AccessKeyId',
  accessKeyIds: 'IAM calls it AccessKeyId',
  'lambdas/watch.ts keyId': 'CloudTrail calls it that in what a call to KMS was given',
};
const isGiven = ({ name, file }: Name) => name in GIVEN || `${file} ${name}` in GIVEN;

const TERMS = textOf('docs/words.md')
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
  .filter((cells) => cells.length === 4 && cells[0] !== 'word' && cells[0] !== '---')
  .map(([word = '', means = '', livesIn = '', not = '']) => ({
    word,
    means,
    livesIn: codeIn(livesIn),
    rules: rulesIn(not),
  }));
const RULES = TERMS.flatMap(({ rules }) => rules);

function codeIn(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
}

/** "table `issued`", "`fact` in `lib/domain/intake`", "member `seq` in `lib/domain/rings`", "`cutoff`". */
function rulesIn(cell: string): Rule[] {
  const pattern = new RegExp(`(?:\\b(${LIMITED.join('|')}) )?\`([^\`]+)\`(?: in \`([^\`]+)\`)?`, 'g');
  return [...cell.matchAll(pattern)].map(([, kind, spelling = '', folder]) => ({ spelling, kind, folder }));
}

/** `cutOffRows`, `cut-off-rows` and `CUT_OFF_ROWS` are the same three words, and none of them is `cutoff`. */
function wordsOf(name: string): string[] {
  return name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter(Boolean);
}

/** Its words stand in the name beside each other; the plural counts. */
function holds(name: string, spelling: string): boolean {
  const [words, wanted] = [wordsOf(name), wordsOf(spelling)];
  return words.some((_, at) => wanted.every((want, n) => words[at + n] === want || words[at + n] === `${want}s`));
}

function breaks({ name, kind, file }: Name, rule: Rule): boolean {
  if (rule.folder !== undefined && !file.startsWith(`${rule.folder}/`)) return false;
  return rule.kind === undefined ? holds(name, rule.spelling) : kind === rule.kind && name === rule.spelling;
}

function violations(names: readonly Name[], rules: readonly Rule[]): string[] {
  return names
    .filter((name) => !isGiven(name))
    .flatMap((one) =>
      rules
        .filter((rule) => breaks(one, rule))
        .map(({ spelling }) => `${one.file}${one.line ? `:${one.line}` : ''} ${one.kind} ${one.name} (${spelling})`),
    );
}

const EXPORTED = /^export (?:abstract )?(?:async )?(function|const|let|class|interface|type|enum)\*? (\w+)/;
const TYPES = ['class', 'interface', 'type', 'enum'];

/** What a file exports, and the members of its types. Comments and texts are blanked, so that lines keep their numbers. */
function namesIn(file: string, text: string): Name[] {
  const code = text
    .replaceAll(/\/\*[\s\S]*?\*\//g, (comment) => comment.replaceAll(/[^\n]/g, ' '))
    .replaceAll(/'(?:[^'\\\n]|\\.)*'/g, "''")
    .replaceAll(/(^|\s)\/\/.*$/gm, '$1');
  return code.split('\n').flatMap((line, index): Name[] => {
    const [, keyword = '', exported] = EXPORTED.exec(line) ?? [];
    const at = { file, line: index + 1 };
    return [
      ...(exported ? [{ name: exported, kind: TYPES.includes(keyword) ? 'type' : 'value', ...at } as const] : []),
      ...[...line.matchAll(/\breadonly (\w+)\??:/g)].map(([, name = '']) => ({ name, kind: 'member', ...at }) as const),
    ];
  });
}

const storedIn = (file: string, kind: Name['kind'], names: readonly string[]): Name[] =>
  [...new Set(names)].map((name) => ({ name, kind, file }));
const textsIn = (file: string, pattern: RegExp): string[] =>
  [...textOf(file).matchAll(pattern)].flatMap(([, texts = '']) => texts.match(/[\w-]+/g) ?? []);

const NAMES: readonly Name[] = [
  ...FILES.flatMap((file) => namesIn(file, textOf(file))),
  ...[...new Set(FILES.flatMap((file) => [file, `${dirname(file)}/`]))].map(
    (file): Name => ({ name: basename(file, '.ts'), kind: 'file', file }),
  ),
  ...storedIn('lib/domain/store/table.ts', 'table', TABLES),
  ...storedIn('lib/domain/evidence/record.ts', 'record', Object.keys(RECORD_TYPES)),
  ...storedIn(
    'lib/domain/cases/steps.ts',
    'step',
    STEPS.flatMap((step) => [step.name, ...('step' in step ? [step.step] : [])]),
  ),
  ...storedIn('lib/domain/deployment/rights.ts', 'Lambda', Object.keys(RIGHTS)),
  ...storedIn('lib/domain/deployment/rights.ts', 'stored', BUCKETS),
  ...storedIn('lib/domain/deployment/settings.ts', 'stored', Object.keys(SETTINGS)),
  ...storedIn('lib/domain/deployment/metrics.ts', 'stored', Object.keys(METRICS)),
  ...storedIn(
    'lib/domain/deployment/messages.ts',
    'stored',
    textsIn('lib/domain/deployment/messages.ts', /\bop: ((?:'[a-z-]+'(?: \| )?)+)/g),
  ),
  ...storedIn('lib/domain/base/errors.ts', 'stored', textsIn('lib/domain/base/errors.ts', /'(ERR_[A-Z_]+)'/g)),
  ...FILES.flatMap((file) => storedIn(file, 'stored', textsIn(file, /\bdetailType: '(\w+)'/g))),
  ...storedIn('lib/domain/deployment/access.ts', 'command', [...Object.keys(COMMAND_RIGHTS), ...Object.keys(ROLES)]),
  ...storedIn(
    'bin/commands/index.ts',
    'command',
    Object.values(COMMANDS).flatMap(({ usage }) => usage.match(/--[a-z]+/g) ?? []),
  ),
];

test('no name of ours has a spelling that docs/words.md says we do not use', () => {
  expect(NAMES.length).toBeGreaterThan(1500);
  expect(violations(NAMES, RULES)).toEqual([]);
});

test('nor has what the documents show as code', () => {
  const documents = [
    'README.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
    ...readdirSync(join(PROJECT, 'docs'), { recursive: true, encoding: 'utf8' }).map((path) => `docs/${path}`),
  ];
  const names = documents
    .filter((path) => path.endsWith('.md') && path !== 'docs/words.md')
    .flatMap((path) => storedIn(path, 'word', codeIn(textOf(path).replaceAll(/```[\s\S]*?```/g, ''))));
  expect(names.length).toBeGreaterThan(500);
  expect(
    violations(
      names,
      RULES.filter(({ kind, folder }) => kind === undefined && folder === undefined),
    ),
  ).toEqual([]);
});

describe('the checker', () => {
  const found = (file: string, text: string) => violations(namesIn(file, text), RULES);
  const table = (name: string) => violations(storedIn('lib/domain/store/table.ts', 'table', [name]), RULES);

  test.each([
    ['lib/domain/tokens/x.ts', 'export const cutoffRows = 1;', 'cutoff'],
    ['lib/domain/tokens/x.ts', 'export async function releaseToken() {}', 'release'],
    ['lib/domain/rings/x.ts', 'export interface Ring {\n  readonly epoch: number;\n}', 'epoch'],
    ['lib/domain/rings/x.ts', '  readonly publishedAt?: number;', 'publishedAt'],
    ['lib/domain/rings/x.ts', 'export type A = { readonly seq: number };', 'seq'],
    ['lib/domain/rings/x.ts', 'export function finish() {}', 'finish'],
    ['lib/work/rings/x.ts', 'export function bear() {}', 'bear'],
    ['lib/domain/intake/x.ts', 'export type LeaverEvent = string;', 'LeaverEvent'],
    ['lib/domain/store/x.ts', 'export interface Item {}', 'Item'],
    ['lib/domain/jose/x.ts', 'export const keyIds = [];', 'keyId'],
    ['lib/domain/cases/x.ts', 'export const ROSTER = 1;', 'roster'],
    ['lib/aws/x.ts', 'export class TableManager {}', 'manager'],
  ])('finds in %s: %s', (file, text, spelling) => {
    expect(found(file, text)).toEqual([expect.stringContaining(`(${spelling})`)]);
  });

  test.each([
    ['lib/domain/tokens/x.ts', 'export const cutOffs = 1; // never a cutoff'],
    ['lib/domain/feed/x.ts', 'export interface Feed {\n  readonly seq: number;\n}'],
    ['lib/domain/cases/x.ts', 'export type PlannedItem = string;'],
    ['lib/domain/jose/x.ts', "/** The keyId of others. */\nexport const kid = 'keyId';"],
    ['lambdas/x.ts', 'export function bearer() {}'],
  ])('lets pass in %s: %s', (file, text) => {
    expect(found(file, text)).toEqual([]);
  });

  test('knows tables, records, steps and Lambdas by their whole name', () => {
    expect(table('issued')).toEqual([expect.stringContaining('table issued')]);
    expect(table('markers')).toEqual([]);
    const lambda = (name: string) => violations(storedIn('x', 'Lambda', [name]), RULES);
    expect([lambda('auditor'), lambda('was-issued')]).toEqual([[expect.stringContaining('Lambda auditor')], []]);
    const step = (name: string) => violations(storedIn('x', 'step', [name]), RULES);
    expect([step('publish'), step('announce')]).toEqual([[expect.stringContaining('step publish')], []]);
    const record = (name: string) => violations(storedIn('x', 'record', [name]), RULES);
    expect([record('key.published'), record('key.confirmed')]).toEqual([[expect.stringContaining('record')], []]);
  });

  test('lets through what others have named, and nothing that no name needs any more', () => {
    const needed = NAMES.filter((name) => RULES.some((rule) => breaks(name, rule)));
    const isNeeded = (given: string) => needed.some(({ name, file }) => given === name || given === `${file} ${name}`);
    expect(Object.keys(GIVEN).filter((given) => !isNeeded(given))).toEqual([]);
  });
});

describe('docs/words.md', () => {
  test('has each word once, with one sentence', () => {
    const words = TERMS.flatMap(({ word }) => word.split(', '));
    expect(words.length).toBeGreaterThan(40);
    expect(words.filter((word, n) => words.indexOf(word) !== n)).toEqual([]);
    expect(TERMS.filter(({ means }) => means === '' || /\.( |$)/.test(means)).map(({ word }) => word)).toEqual([]);
  });

  test('leads from each word to a room, or to a file in one', () => {
    for (const { word, livesIn } of TERMS) {
      expect([word, livesIn.length]).toEqual([word, 1]);
      for (const place of livesIn)
        expect([word, place, existsSync(join(PROJECT, place)) && (place in ROOMS || place.endsWith('.ts'))]).toEqual([
          word,
          place,
          true,
        ]);
    }
  });

  test('leads to every room of the domain', () => {
    const reached = TERMS.flatMap(({ livesIn }) => livesIn);
    const rooms = Object.keys(ROOMS).filter((room) => room.startsWith('lib/domain/') && room !== 'lib/domain/base');
    expect(rooms.filter((room) => !reached.includes(room))).toEqual([]);
  });
});
