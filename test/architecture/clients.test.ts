import { codeOf, filesUnder } from './sources';

const MADE = /new (\w+Client)\(([^)]*\)?)\)/g;

test('every SDK client of a Lambda is made with the settings of its role, and none with the SDK’s own', () => {
  const made = filesUnder('lib/aws', 'lambdas', 'lib/work').flatMap((file) =>
    [...codeOf(file).matchAll(MADE)].map(([, client, settings]) => ({ file, client, settings })),
  );
  expect(made.length).toBeGreaterThan(20);
  expect(made.filter(({ settings }) => !/^clientSettings\((name|undefined)?(, '')?\)$/.test(settings ?? ''))).toEqual(
    [],
  );
});

test('entry names its Lambda to every client that it makes', () => {
  const settings = [...codeOf('lib/aws/entry.ts').matchAll(MADE)].map(([, , given]) => given);
  expect(settings.length).toBeGreaterThan(12);
  expect(codeOf('lib/aws/entry.ts')).toMatch(
    /new DynamoDBClient\(clientSettings\(name\)\),\s+paceOf\(name\)\.conflictSeconds/,
  );
  expect(settings.filter((given) => !given?.startsWith('clientSettings(name'))).toEqual([]);
});
