import { codeOf, FILES, filesUnder } from './sources';

const IMPURE =
  /\bawait\b|\basync\b|\bprocess\.|\bDate\.now\b|\bnew Date\(\s*\)|\bMath\.random\b|\bset(?:Timeout|Interval)\b|\bfetch\(|\bconsole\.|\brandomBytes\b|\brandomUUID\b/g;

test.each(filesUnder('lib/domain', 'lib/report'))('%s has no clock, environment, randomness or wait', (file) => {
  expect(codeOf(file).match(IMPURE) ?? []).toEqual([]);
});

test('impurity is seen in code and not in comments', () => {
  expect('const now = Date.now(); // await'.match(IMPURE)).toEqual(['Date.now', 'await']);
  expect('return new Date(at * 1000)'.match(IMPURE)).toBeNull();
});

test('nothing but the entry of a Lambda, the bundler and what starts a process reads the process', () => {
  const readers = FILES.filter(
    (file) => /^(lib|lambdas)\//.test(file) && /\bprocess\.(env|argv|pid|once|exit)\b/.test(codeOf(file)),
  );
  expect(readers.sort()).toEqual(['lib/aws/entry.ts', 'lib/constructs/functions/lambda-bundle.ts']);
});
