import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ENTRIES } from '../../lib/constructs/lambda-bundle';
import { RIGHTS } from '../../lib/domain/deployment/rights';

const LAMBDAS = resolve(__dirname, '..', '..', 'lambdas');

test('every function of RIGHTS has its file', () => {
  expect(Object.keys(ENTRIES).sort()).toEqual(Object.keys(RIGHTS).sort());
  for (const file of Object.values(ENTRIES)) expect([file, existsSync(join(LAMBDAS, file))]).toEqual([file, true]);
});

test.each(Object.entries(ENTRIES).filter(([name]) => !name.startsWith('outbox-')))(
  'the file of %s takes the ports of that function and of no other',
  (name, file) => {
    const entries = readFileSync(join(LAMBDAS, file), 'utf8').match(/\bentry\(\s*'[a-z-]+'/g) ?? [];
    expect(entries.map((entry) => entry.replace(/.*'(.*)'/s, '$1'))).toEqual([name]);
  },
);
