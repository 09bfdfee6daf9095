import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { ENTRIES } from '../lib/constructs/lambda-bundle';
import { type FunctionName, RIGHTS, type Right } from '../lib/domain/deployment/rights';
import { TABLES } from '../lib/domain/store/table';

const PROJECT = resolve(__dirname, '..');

interface Import {
  /** A file of ours, from the project's root; or the name of a package. */
  readonly target: string;
  /** Gone at run time. */
  readonly typeOnly: boolean;
}

const FROM = /^(import|export)(\s+type)?\b[^'";]*?\bfrom\s+'([^']+)'/gm;
const BARE = /^import\s+'([^']+)'/gm;
const CALLED = /(typeof\s+)?\b(?:import|require)\(\s*'([^']+)'\s*\)/g;

function importsOf(file: string): Import[] {
  const source = readFileSync(join(PROJECT, file), 'utf8');
  return (
    [
      ...[...source.matchAll(FROM)].map(([, , type, name = '']) => ({ name, typeOnly: type !== undefined })),
      ...[...source.matchAll(BARE)].map(([, name = '']) => ({ name, typeOnly: false })),
      ...[...source.matchAll(CALLED)].map(([, type, name = '']) => ({ name, typeOnly: type !== undefined })),
    ]
      // Written into a generated file, not imported by this one.
      .filter(({ name }) => !name.includes('${'))
      .map(({ name, typeOnly }) => ({ target: name.startsWith('.') ? fileOf(file, name) : name, typeOnly }))
  );
}

function fileOf(from: string, specifier: string): string {
  const path = join(dirname(from), specifier);
  const found = [`${path}.ts`, join(path, 'index.ts')].find((candidate) => existsSync(join(PROJECT, candidate)));
  if (found === undefined) throw new Error(`${from} imports ${specifier}, which is not there`);
  return found;
}

function filesUnder(...folders: readonly string[]): string[] {
  return folders.flatMap((folder) =>
    readdirSync(join(PROJECT, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => join(folder, path)),
  );
}

const FILES = filesUnder('bin', 'lib', 'lambdas');
const IMPORTS = new Map(FILES.map((file) => [file, importsOf(file)]));

/** What each part may import: files by how their path begins, packages by how their name begins. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  'lib/domain/': ['lib/domain/', 'node:crypto'],
  'lib/ports': ['lib/ports', 'lib/domain/'],
  'lib/env.ts': [],
  'lib/aws/': [
    'lib/aws/',
    'lib/ports',
    'lib/env.ts',
    'lib/domain/',
    '@aws-sdk/',
    'node:crypto',
    'node:timers/promises',
  ],
  'lib/local/': ['lib/local/', 'lib/ports', 'lib/domain/', 'node:crypto'],
  'lib/verifier/': ['lib/verifier/', 'lib/domain/'],
  'lib/constructs/': [
    'lib/constructs/',
    'lib/env.ts',
    'lib/domain/',
    'aws-cdk-lib',
    'constructs',
    'esbuild',
    'node:fs',
    'node:path',
  ],
  'lib/config.ts': ['lib/constructs/stage.ts', 'lib/domain/', 'zod'],
  'lib/stacks/': ['lib/stacks/', 'lib/constructs/', 'lib/config.ts', 'lib/domain/', 'aws-cdk-lib', 'constructs'],
  'lib/index.ts': ['lib/stacks/', 'lib/constructs/', 'lib/config.ts', 'lib/domain/'],
  'lambdas/': [
    'lambdas/',
    'lib/aws/entry.ts',
    'lib/aws/dynamodb-stream.ts',
    'lib/ports',
    'lib/domain/',
    'zod',
    'aws-lambda',
  ],
  // The CLI reads a ring as the Lambdas do; the rest of `lambdas` it reaches by invoking.
  'bin/': ['bin/', 'lib/', 'lambdas/keys/load-ring.ts'],
};

const partOf = (file: string) => Object.keys(ARROWS).find((part) => file.startsWith(part));

test('every file belongs to one part', () => {
  expect(FILES.length).toBeGreaterThan(150);
  expect(FILES.filter((file) => partOf(file) === undefined)).toEqual([]);
});

test.each(Object.entries(ARROWS))('%s imports along the arrows', (part, allowed) => {
  const broken = [...IMPORTS].flatMap(([file, imports]) =>
    partOf(file) !== part
      ? []
      : imports
          .filter(({ target }) => !allowed.some((prefix) => target.startsWith(prefix)))
          // Of bin any package will do: it is the edge of the process.
          .filter(({ target }) => part !== 'bin/' || FILES.includes(target))
          .map(({ target }) => `${file} -> ${target}`),
  );
  expect(broken).toEqual([]);
});

test('the reader of imports sees an arrow that points the wrong way', () => {
  const sources = [
    "import { a } from '../aws/clock';",
    "import type { A } from 'x';\nexport * from 'y';",
    "f(() => require('z'));",
  ];
  const seen = sources.flatMap((source) => [...source.matchAll(FROM), ...source.matchAll(CALLED)].map((m) => m.at(-1)));
  expect(seen).toEqual(['../aws/clock', 'x', 'y', 'z']);
});

test('what runs in production is a dependency, what tests and the demo need is not', () => {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'));
  const packageOf = (name: string) => name.split('/', name.startsWith('@') ? 2 : 1).join('/');
  const shipped = [...IMPORTS].filter(([file]) => !file.startsWith('bin/local'));
  const asked = shipped.flatMap(([, imports]) =>
    imports.filter(({ target, typeOnly }) => !typeOnly && !FILES.includes(target)),
  );
  const missing = asked
    .map(({ target }) => target)
    .filter((name) => !isBuiltin(name) && !(packageOf(name) in dependencies));
  expect(missing).toEqual([]);
  const local = [...IMPORTS].filter(([file]) => file.startsWith('bin/local')).flatMap(([, imports]) => imports);
  for (const { target } of local.filter(({ target }) => !FILES.includes(target) && !isBuiltin(target)))
    expect([target, packageOf(target) in { ...dependencies, ...devDependencies }]).toEqual([target, true]);
});

test('constructs and stacks take data from the domain, not behaviour', () => {
  const taken = [...IMPORTS]
    .filter(([file]) => /^lib\/(constructs|stacks)\//.test(file))
    .flatMap(([, imports]) =>
      imports.filter(({ target }) => target.startsWith('lib/domain/')).map(({ target }) => target),
    );
  expect([...new Set(taken)].sort()).toEqual([
    'lib/domain/deployment/access.ts',
    'lib/domain/deployment/deployment-config.ts',
    'lib/domain/base/errors.ts',
    'lib/domain/jose/algorithm.ts',
    'lib/domain/rings/exemption.ts',
    'lib/domain/health/ring-health.ts',
    'lib/domain/rings/configuration.ts',
    'lib/domain/cases/plan.ts',
    'lib/domain/deployment/rights.ts',
    'lib/domain/deployment/settings.ts',
    'lib/domain/store/table.ts',
  ]);
});

test('what a service installs reaches nothing but the verifier and the domain, by any way', () => {
  const reached = new Set<string>();
  const visit = (file: string): void => {
    if (reached.has(file)) return;
    reached.add(file);
    for (const { target, typeOnly } of IMPORTS.get(file) ?? []) if (!typeOnly) visit(target);
  };
  visit('lib/verifier/index.ts');
  expect(reached.size).toBeGreaterThan(10);
  expect([...reached].filter((file) => !/^(lib\/(verifier|domain)\/|node:crypto$)/.test(file))).toEqual([]);
});

/** The code alone: what a comment or a text says does not run. */
function codeOf(file: string): string {
  return readFileSync(join(PROJECT, file), 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/'(?:[^'\\\n]|\\.)*'/g, "''")
    .replace(/(^|\s)\/\/.*$/gm, '$1');
}

const IMPURE =
  /\bawait\b|\basync\b|\bprocess\.|\bDate\.now\b|\bnew Date\(\s*\)|\bMath\.random\b|\bset(?:Timeout|Interval)\b|\bfetch\(|\bconsole\.|\brandomBytes\b|\brandomUUID\b/g;

test.each(filesUnder('lib/domain'))('%s has no clock, environment, randomness or wait', (file) => {
  expect(codeOf(file).match(IMPURE) ?? []).toEqual([]);
});

test('impurity is seen in code and not in comments', () => {
  expect('const now = Date.now(); // await'.match(IMPURE)).toEqual(['Date.now', 'await']);
  expect('return new Date(at * 1000)'.match(IMPURE)).toBeNull();
});

test('nothing but the entry of a Lambda, bin and the bundler reads the process', () => {
  const readers = FILES.filter(
    (file) => !file.startsWith('bin/') && /\bprocess\.(env|argv|pid|once|exit)\b/.test(codeOf(file)),
  );
  expect(readers.sort()).toEqual(['lib/aws/entry.ts', 'lib/constructs/lambda-bundle.ts']);
});

test('no file imports itself by a circle of others', () => {
  const state = new Map<string, 'open' | 'done'>();
  const circles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (state.get(file) === 'open') circles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
    if (state.has(file)) return;
    state.set(file, 'open');
    for (const { target, typeOnly } of IMPORTS.get(file) ?? [])
      if (!typeOnly && IMPORTS.has(target)) visit(target, [...path, file]);
    state.set(file, 'done');
  };
  for (const file of FILES) visit(file, []);
  expect(circles).toEqual([]);
});

test('the seven stops of a departure are there, and the README leads through them in order', () => {
  const stops = [
    'lambdas/intake/hr-webhook.ts',
    'lib/domain/intake/statement.ts',
    'lib/domain/cases/plan.ts',
    'lambdas/offboarding/',
    'lib/domain/evidence/record.ts',
    'lib/domain/tlog/checkpoint.ts',
    'bin/curfew.ts',
  ];
  for (const stop of stops) expect([stop, existsSync(join(PROJECT, stop))]).toEqual([stop, true]);
  const readme = readFileSync(join(PROJECT, 'README.md'), 'utf8');
  const way = readme.slice(readme.indexOf('Follow one through the code'), readme.indexOf('## Deploy it'));
  const linked = [...way.matchAll(/\]\(([^)]+)\)/g)].map(([, link = '']) => link.replace(/README\.md$/, ''));
  expect(linked).toEqual(stops);
});

/** `entry('issuer', …)`: the name decides which ports are opened. */
function entriesIn(file: string): string[] {
  return [...codeWithTexts(file).matchAll(/\bentry\(\s*'([a-z-]+)'/g)].map(([, name = '']) => name);
}
function codeWithTexts(file: string): string {
  return readFileSync(join(PROJECT, file), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
}

test('every file that is a Lambda is bundled, and every bundled file is a Lambda', () => {
  const withHandler = filesUnder('lambdas').filter((file) => /^export const handler\b/m.test(codeWithTexts(file)));
  const bundled = new Set(Object.values(ENTRIES).map((entry) => join('lambdas', entry)));
  expect(withHandler.sort()).toEqual([...bundled].sort());
  expect(Object.keys(ENTRIES).sort()).toEqual(Object.keys(RIGHTS).sort());
});

test.each(Object.entries(ENTRIES))('%s takes its own row of rights and no other', (name, entry) => {
  const file = join('lambdas', entry);
  const sharing = (Object.keys(ENTRIES) as FunctionName[]).filter((other) => ENTRIES[other] === entry);
  const rowOf = (row: FunctionName) => [...RIGHTS[row]].sort();
  // Two functions may run one file where their rows are the same.
  for (const other of sharing) expect(rowOf(other)).toEqual(rowOf(name as FunctionName));

  const [opened = '', ...more] = entriesIn(file);
  expect([sharing, more]).toEqual([expect.arrayContaining([opened]), []]);
  const asked = [...codeWithTexts(file).matchAll(/\bDeps<'([a-z-]+)'>/g)].map(([, row = '']) => row);
  for (const row of asked) expect(sharing).toContain(row);
});

describe('the trust tables of lib/README.md', () => {
  const readme = readFileSync(join(PROJECT, 'lib', 'README.md'), 'utf8');
  const functions = Object.keys(RIGHTS) as FunctionName[];
  const having = (wanted: (right: Right) => boolean) =>
    functions.filter((name) => (RIGHTS[name] as readonly Right[]).some(wanted)).sort();
  const rowOf = (what: string) => {
    const row = readme.split('\n').find((line) => line.startsWith(`| ${what} |`)) ?? '';
    return (row.split('|')[2] ?? '')
      .split(',')
      .map((name) => name.trim())
      .sort();
  };

  test.each(TABLES.filter((table) => table !== 'shred'))('name everybody who writes table %s', (table) => {
    expect(rowOf(`\`${table}\``)).toEqual(having((right) => new RegExp(`^${table}:(put|update|delete)$`).test(right)));
  });

  test.each(['evidence', 'heads', 'public'])('name everybody who writes bucket %s', (bucket) => {
    expect(rowOf(`\`${bucket}\``)).toEqual(having((right) => right === `${bucket}:put`));
  });

  test.each<[string, Right]>([
    ['`shred`', 'seal'],
    ['shred key', 'seal'],
    ['ring keys', 'sign:ring'],
    ['feed key', 'sign:feed'],
    ['checkpoint key', 'sign:checkpoint'],
    ['pepper', 'secret:pepper'],
    ['webhook secrets', 'secret:webhook'],
  ])('name everybody who uses the %s', (what, right) => {
    expect(rowOf(what)).toEqual(having((one) => one === right));
  });
});

test.each([
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'lib/README.md',
  'lib/DECISIONS.md',
  'lambdas/README.md',
  'lib/domain/evidence/FORMAT.md',
])('every relative link of %s leads somewhere', (document) => {
  const text = readFileSync(join(PROJECT, document), 'utf8').replace(/```[\s\S]*?```/g, '');
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^https?:/.test(link));
  const dead = links.filter((link) => {
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? join(PROJECT, document) : join(PROJECT, dirname(document), path);
    if (!existsSync(target)) return true;
    return (
      anchor !== undefined &&
      (statSync(target).isDirectory() || !headingsOf(relative(PROJECT, target)).includes(anchor))
    );
  });
  expect(dead).toEqual([]);
});

/** Headings as they are linked to: lower case, spaces as hyphens, nothing else but letters and digits. */
function headingsOf(document: string): string[] {
  const text = readFileSync(join(PROJECT, document), 'utf8').replace(/```[\s\S]*?```/g, '');
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^a-z0-9 -]/g, '')
      .replaceAll(' ', '-'),
  );
}
