/**
 * In the rooms that work on what is stored, answered or sent, no value becomes of a type by say-so: no `as` but
 * `as const`, no `<T>x`, no `!`. A type predicate asks; each is listed with what. What `JSON.parse` gives is unknown, or
 * Json, until a parser has read it. So a value from a table, a function, an object or a request has its type from the
 * parser that read it: the casts that are left are on values that these rooms made, and say why.
 */
import { filesUnder, textOf } from './sources';
import { type Node, nodesIn } from './syntax';

const ROOMS = [
  'lambdas',
  'lib/work',
  'lib/domain/rings',
  'lib/domain/feed',
  'lib/domain/evidence',
  'lib/domain/tokens',
  'lib/domain/cases',
  'lib/domain/intake',
  'lib/domain/store',
  'bin/commands',
];

/** None is on a value from outside. */
const CASTS: Readonly<Record<string, string>> = {
  'lambdas/watch.ts: name as keyof Health': 'the names of an object that healthOf has just made',
  'lib/domain/store/entity.ts: ({}) as K': 'K is object where an entity reads nothing off its key',
  'lib/domain/store/shapes.ts: Object.keys(ALGORITHMS) as [SigningAlgorithm, ...SigningAlgorithm[]]':
    'the names of a table of ours',
  'lib/domain/store/table.ts: members as { readonly [attribute: string]: Value }':
    'on the way in: members that were typed, where an interface has no index signature',
};

/** What each asks before it says so. */
const PREDICATES: Readonly<Record<string, string>> = {
  'lib/work/cases/taint-steps.ts: error is CurfewError': 'isCurfewError, and the code',
  'lib/domain/rings/configuration.ts: age is number': 'typeof, whole, within limits',
  'lib/domain/rings/configuration.ts: value is number': 'typeof, whole',
  'lib/domain/rings/exemption.ts: rule is ExemptableRule': 'typeof, and that the table has it',
  'lib/domain/rings/reason.ts: given is string': 'typeof, one line of text',
  'lib/domain/rings/key-policy.ts: value is readonly Json[]': 'Array.isArray',
  'lib/domain/evidence/record.ts: type is RecordType': 'typeof, and that the table has it',
  'lib/domain/evidence/record.ts: at is number': 'typeof, whole, from 0',
  'lib/domain/tokens/claims.ts: value is string': 'typeof, not empty',
  'lib/domain/tokens/claims.ts: value is number': 'typeof, whole, from 0',
  'lib/domain/tokens/exchange.ts: presented is KeyRecord': 'that it is there and has a taint',
};

/** They take `unknown`, and look at it. */
const PARSERS = ['applyRingConfig', 'principalsOf'];

const FILES = filesUnder(...ROOMS);
const NODES = FILES.map((file) => [file, nodesIn(textOf(file))] as const);

const isCast = ({ type }: Node) => ['TsAsExpression', 'TsTypeAssertion', 'TsNonNullExpression'].includes(type);
const isPredicate = ({ type }: Node) => type === 'TsTypePredicate';
const isJsonParse = ({ type, text }: Node) => type === 'CallExpression' && text.startsWith('JSON.parse(');

function all(isMeant: (node: Node) => boolean): string[] {
  return NODES.flatMap(([file, nodes]) => nodes.filter(isMeant).map(({ text }) => `${file}: ${text}`));
}

/** `const x: unknown = JSON.parse(…)`, `return JSON.parse(…)` of a function of unknown, or straight into a parser. */
function isParsed({ within: [parent, ...outer] }: Node, nodes: readonly Node[]): boolean {
  switch (parent?.type) {
    case 'VariableDeclarator':
      return UNREAD.test(parent.text.slice(0, parent.text.indexOf('=')));
    case 'AssignmentExpression': {
      const [name = ''] = parent.text.split(' ');
      return nodes.some(({ type, text }) => type === 'VariableDeclarator' && text === `${name}: unknown`);
    }
    case 'ReturnStatement': {
      const [body, made] = [/^FunctionBody$/, /Function(Declaration|Expression)$/].map((kind) =>
        outer.find(({ type }) => kind.test(type)),
      );
      return UNREAD.test(made?.text.slice(0, -(body?.text.length ?? 0)) ?? '');
    }
    default:
      return PARSERS.some((name) => outer[0]?.text.startsWith(`${name}(`) || parent?.text.startsWith(`${name}(`));
  }
}
const UNREAD = /: (unknown|Json) ?$/;

test('the only casts are those listed, none of them on a value from outside', () => {
  expect(FILES.length).toBeGreaterThan(100);
  expect(all(isCast).sort()).toEqual(Object.keys(CASTS).sort());
});

test('a type predicate asks before it says so: each is listed, and none holds a cast', () => {
  expect(all(isPredicate).sort()).toEqual(Object.keys(PREDICATES).sort());
});

test('what JSON.parse gives is unknown until a parser has read it', () => {
  const found = NODES.flatMap(([file, nodes]) => nodes.filter(isJsonParse).map((node) => ({ file, node, nodes })));
  expect(found.length).toBeGreaterThan(5);
  expect(
    found.filter(({ node, nodes }) => !isParsed(node, nodes)).map(({ file, node }) => `${file}: ${node.text}`),
  ).toEqual([]);
});

test('the reader of casts sees one, whatever its spelling, and takes no const, text or comment for it', () => {
  const casts = (source: string) =>
    nodesIn(source)
      .filter(isCast)
      .map(({ text }) => text);
  expect(casts('f(row as unknown as Wave); const a = <Wave>row; row.kid!;')).toEqual([
    'row as unknown as Wave',
    'row as unknown',
    '<Wave>row',
    'row.kid!',
  ]);
  expect(casts("const a = [1] as const; const b = 'x as y'; // z as w\nconst c = { a } satisfies object;")).toEqual([]);
  expect(
    nodesIn('const is = (a: unknown): a is Wave => true;')
      .filter(isPredicate)
      .map(({ text }) => text),
  ).toEqual(['a is Wave']);
  const unread = (source: string) =>
    nodesIn(source)
      .filter(isJsonParse)
      .filter((node) => !isParsed(node, nodesIn(source)));
  expect(unread('const a: Wave = JSON.parse(text);')).toHaveLength(1);
  expect(unread('function f(): Wave { return JSON.parse(text); }')).toHaveLength(1);
  expect(unread('const { kid } = JSON.parse(text);')).toHaveLength(1);
  expect(unread('const a: unknown = JSON.parse(text); let b: unknown; b = JSON.parse(text);')).toEqual([]);
});
