/** What nobody takes is not there: no file, no exported name. What only tests take has its reason. */
import { type Exported, exportsIn, type Taken, takenBy } from './exports';
import { codeOf, FILES, filesUnder, IMPORTS } from './sources';

/** Where somebody outside comes in: AWS, a shell, a CDK app, a service; and the twins, at which tests do. */
const ENTRANCES = [
  ...FILES.filter((file) => /^(lambdas|demo|emulator|lib\/local)\//.test(file)),
  'bin/app.ts',
  'bin/curfew.ts',
  'tools/account-check/main.ts',
  'lib/index.ts',
  'lib/verifier/index.ts',
];
const PUBLIC = ['lib/index.ts', 'lib/verifier/index.ts'];
/** The ports in memory: nothing of them is deployed. */
const isTwin = (file: string) => file.startsWith('lib/local/');
/** Handlers and commands need an environment; tests play what they run. */
const isPlayed = ({ file, name }: Exported) =>
  /^(lambdas|bin\/commands)\//.test(file) && (codeOf(file).match(new RegExp(`\\b${name}\\b`, 'g')) ?? []).length > 1;

const FOR_TESTS: Readonly<Record<string, readonly string[]>> = {
  'a table or a limit, which tests compare with templates, documents and behaviour': [
    'lib/constructs/evidence/evidence-log.ts RETENTION_DAYS',
    'lib/constructs/watch/alarms.ts ALARMS',
    'lib/domain/deployment/time-outs.ts TIME_OUTS',
    'lib/domain/deployment/time-outs.ts WAITING_MARGIN_SECONDS',
    'lib/domain/intake/schemes.ts DELIVERY_AGE_SECONDS_MAX',
    'lib/domain/intake/schemes.ts DELIVERY_SKEW_SECONDS_MAX',
    'lib/domain/jose/compact.ts TOKEN_BYTES_MAX',
    'lib/domain/rings/exemption.ts EXEMPTABLE',
    'lib/domain/store/deployed.ts DEPLOYED',
    'lib/domain/store/entities.ts ENTITIES',
    'lib/verifier/verify.ts ACCEPTED',
    'lib/work/cases/start-case.ts LOOK_AGAIN_SECONDS',
  ],
  'what the second version of a stored shape will need: until then a test declares one': [
    'lib/domain/store/entity.ts previously',
  ],
  'a rule by itself, of which its callers reach only some cases': [
    'lib/aws/entry.ts depsFrom',
    'lib/constructs/functions/lambda-bundle.ts entryOf',
    'lib/constructs/watch/alarms.ts runBookOf',
    'lib/domain/evidence/sealed.ts isSealed',
    'lib/domain/feed/parse-feed.ts parseFeed',
    'lib/domain/feed/publication.ts isInJwks',
    'lib/domain/jose/jwk.ts thumbprint',
    'lib/domain/rings/rotation.ts PREPARED_AHEAD',
    'lib/domain/rings/rotation.ts shouldActivate',
    'lib/ports-opened.ts portOpenedBy',
    'lib/report/checks.ts groupPairs',
    'lib/report/timeline.ts spread',
    'lib/verifier/verify.ts isInWindow',
  ],
};

const keyOf = ({ file, name }: Taken) => `${file} ${name}`;
const takenIn = (files: readonly string[]) => new Set(files.flatMap((file) => takenBy(file).map(keyOf)));
const byProduct = takenIn(FILES);
const byTests = takenIn(filesUnder('test'));
const isTaken = (one: Taken, by: ReadonlySet<string>) => by.has(keyOf(one)) || by.has(`${one.file} *`);
const untaken = FILES.filter((file) => /^(lib|lambdas|bin)\//.test(file) && !PUBLIC.includes(file))
  .flatMap((file) => exportsIn(file))
  .filter((one) => one.name !== 'handler' && !isTaken(one, byProduct));

test('every exported name is taken by another file', () => {
  expect(untaken.filter((one) => !isTaken(one, byTests)).map(keyOf)).toEqual([]);
});

test('what only tests take has its reason', () => {
  const forTests = untaken.filter((one) => !one.isType && !isTwin(one.file) && !isPlayed(one) && isTaken(one, byTests));
  expect(forTests.map(keyOf).sort()).toEqual(Object.values(FOR_TESTS).flat().sort());
});

test('every file is reached from an entrance', () => {
  const reached = new Set<string>();
  const visit = (file: string): void => {
    if (reached.has(file)) return;
    reached.add(file);
    for (const { target } of IMPORTS.get(file) ?? []) visit(target);
  };
  for (const entrance of ENTRANCES) visit(entrance);
  expect(FILES.filter((file) => !reached.has(file))).toEqual([]);
});

describe('the reader of exports', () => {
  const names = (code: string) => exportsIn('x.ts', code).map(({ name }) => name);
  const taken = (code: string) => takenBy('lib/work/rings/x.ts', code).map(keyOf);

  test.each([
    ['export async function* a() {}', ['a']],
    ['export abstract class A {}\nexport enum B {}\nexport type C = 1;', ['A', 'B', 'C']],
    ["export { a, type B as C } from './y';", ['a', 'C']],
    ['const a = 1;\n// export const b = 1;', []],
  ])('sees what is exported: %s', (code, expected) => expect(names(code)).toEqual(expected));

  test.each([
    ["import { a, type B as C } from './load-ring';", ['a', 'B']],
    ["import type { A } from './load-ring';", ['A']],
    ["import * as all from './load-ring';\nall.a(all.b);", ['a', 'b']],
    ["export * from './load-ring';", ['*']],
    ["const { a, b: c } = require('./load-ring') as typeof import('./load-ring');", ['a', 'b']],
    ["const loaded = { ...(await import('./load-ring')) };", ['*']],
    ["import { a } from 'elsewhere';", []],
  ])('sees what is taken: %s', (code, expected) =>
    expect(taken(code)).toEqual(expected.map((name) => `lib/work/rings/load-ring.ts ${name}`)),
  );
});
