import { join } from 'node:path';
import { entryOf } from '../../lib/constructs/functions/lambda-bundle';
import { type FunctionName, RIGHTS } from '../../lib/domain/deployment/rights';
import { codeWithTexts, filesUnder } from './sources';

const FUNCTIONS = Object.keys(RIGHTS) as FunctionName[];

test('lambdas/ holds one entry file per function of RIGHTS, and nothing else', () => {
  const files = filesUnder('lambdas');
  expect(files.filter((file) => !/^export const handler\b/m.test(codeWithTexts(file)))).toEqual([]);
  expect(files.sort()).toEqual(FUNCTIONS.map((name) => join('lambdas', entryOf(name))).sort());
});

/** `entry('issuer', …)`: the name decides which ports are opened. */
test.each(FUNCTIONS)('%s takes its own row of rights and no other', (name) => {
  const code = codeWithTexts(join('lambdas', entryOf(name)));
  expect([...code.matchAll(/\bentry\(\s*'([a-z-]+)'/g)].map(([, opened]) => opened)).toEqual([name]);
  expect([...code.matchAll(/\bDeps<'([a-z-]+)'>/g)].map(([, row]) => row).filter((row) => row !== name)).toEqual([]);
});
