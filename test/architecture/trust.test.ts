/** docs/trust.md says who writes each table and bucket and who uses each key; the table of rights knows. */
import { type FunctionName, RIGHTS, type Right } from '../../lib/domain/deployment/rights';
import { TABLES } from '../../lib/domain/store/table';
import { textOf } from './sources';

const document = textOf('docs/trust.md');
const functions = Object.keys(RIGHTS) as FunctionName[];
const having = (wanted: (right: Right) => boolean) =>
  functions.filter((name) => (RIGHTS[name] as readonly Right[]).some(wanted)).sort();

function rowOf(what: string): string[] {
  const row = document.split('\n').find((line) => line.startsWith(`| ${what} |`)) ?? '';
  return (row.split('|')[2] ?? '')
    .split(',')
    .map((name) => name.trim())
    .sort();
}

test.each(TABLES.filter((table) => table !== 'shred'))('names everybody who writes table %s', (table) => {
  expect(rowOf(`\`${table}\``)).toEqual(having((right) => new RegExp(`^${table}:(put|update|delete)$`).test(right)));
});

test.each(['evidence', 'heads', 'public'])('names everybody who writes bucket %s', (bucket) => {
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
  ['HR sources', 'hr-sources:get'],
])('names everybody who uses the %s', (what, right) => {
  expect(rowOf(what)).toEqual(having((one) => one === right));
});
