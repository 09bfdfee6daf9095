import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { ROOMS, roomOf } from './rooms';
import { FILES, IMPORTS, importedNames, PROJECT, reachedFrom } from './sources';

/** Every arrow between two rooms, with one file that draws it. */
const ARROWS = new Map(
  [...IMPORTS].flatMap(([file, imports]) =>
    imports
      .filter(({ target }) => IMPORTS.has(target) && roomOf(target) !== roomOf(file))
      .map(({ target }) => [`${roomOf(file)} -> ${roomOf(target)}`, { file, target }] as const),
  ),
);

test('every folder with files is a room, and every room has files', () => {
  expect(FILES.length).toBeGreaterThan(200);
  expect([...new Set(FILES.map(roomOf))].sort()).toEqual(Object.keys(ROOMS).sort());
});

test.each(Object.entries(ROOMS))(
  '%s imports what its row names, and uses every name of it',
  (room, { imports: named }) => {
    const files = FILES.filter((file) => roomOf(file) === room);
    const targets = files.flatMap((file) => (IMPORTS.get(file) ?? []).map(({ target }) => ({ file, target })));
    const fits = (target: string) => (name: string) =>
      name.endsWith('/') || !IMPORTS.has(target) ? target.startsWith(name) : roomOf(target) === name;
    const broken = targets
      .filter(({ target }) => !(IMPORTS.has(target) && roomOf(target) === room) && !named.some(fits(target)))
      .map(({ file, target }) => `${file} -> ${target}`);
    expect(broken).toEqual([]);
    expect(named.filter((name) => !targets.some(({ target }) => fits(target)(name)))).toEqual([]);
  },
);

test('the arrows between rooms make no circle, so no pair of rooms imports both ways', () => {
  const next = (room: string) =>
    [...ARROWS.keys()].flatMap((arrow) =>
      arrow.split(' -> ').slice(0, 2)[0] === room ? [arrow.split(' -> ')[1] ?? ''] : [],
    );
  const circles: string[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const visit = (room: string, path: readonly string[]): void => {
    if (state.get(room) === 'open') circles.push([...path.slice(path.indexOf(room)), room].join(' -> '));
    if (state.has(room)) return;
    state.set(room, 'open');
    for (const target of next(room)) visit(target, [...path, room]);
    state.set(room, 'done');
  };
  for (const room of Object.keys(ROOMS)) visit(room, []);
  expect(circles).toEqual([]);
});

test('the reader of imports sees an arrow that points the wrong way', () => {
  const sources = [
    "import { a } from '../aws/clock';",
    "import type { A } from 'x';\nexport * from 'y';",
    "f(() => require('z'));",
  ];
  expect(sources.flatMap(importedNames).map(({ name }) => name)).toEqual(['../aws/clock', 'x', 'y', 'z']);
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

test('what runs in production is a dependency, what tests, demo and emulator need is not', () => {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'));
  const packageOf = (name: string) => name.split('/', name.startsWith('@') ? 2 : 1).join('/');
  const packagesOf = (isMeant: (file: string) => boolean) =>
    [...IMPORTS]
      .filter(([file]) => isMeant(file))
      .flatMap(([, imports]) => imports.filter(({ target, typeOnly }) => !typeOnly && !IMPORTS.has(target)))
      .map(({ target }) => target)
      .filter((name) => !isBuiltin(name));
  const isLocal = (file: string) => /^(demo|emulator|tools)\//.test(file);
  expect(packagesOf((file) => !isLocal(file)).filter((name) => !(packageOf(name) in dependencies))).toEqual([]);
  const all = { ...dependencies, ...devDependencies };
  expect(packagesOf(isLocal).filter((name) => !(packageOf(name) in all))).toEqual([]);
});

test('constructs and stacks take data from the domain, not behaviour', () => {
  const taken = [...IMPORTS]
    .filter(([file]) => /^lib\/(constructs|stacks)\//.test(file))
    .flatMap(([, imports]) =>
      imports
        .filter(({ target, typeOnly }) => !typeOnly && target.startsWith('lib/domain/'))
        .map(({ target }) => target),
    );
  expect([...new Set(taken)].sort()).toEqual([
    'lib/domain/base/errors.ts',
    'lib/domain/cases/steps.ts',
    'lib/domain/deployment/access.ts',
    'lib/domain/deployment/metrics.ts',
    'lib/domain/deployment/rights.ts',
    'lib/domain/deployment/throttles.ts',
    'lib/domain/deployment/time-outs.ts',
    'lib/domain/jose/algorithm.ts',
    'lib/domain/rings/configuration.ts',
    'lib/domain/rings/exemption.ts',
    'lib/domain/store/people.ts',
    'lib/domain/store/table.ts',
  ]);
});

test('what a service installs reaches no AWS, no store, and no package at all', () => {
  const reached = [...reachedFrom('lib/verifier/index.ts')];
  expect(reached.length).toBeGreaterThan(10);
  const allowed = /^(lib\/verifier\/|lib\/domain\/(base|jose|feed|rings|tokens)\/|node:crypto$)/;
  expect(reached.filter((file) => !allowed.test(file))).toEqual([]);
});
