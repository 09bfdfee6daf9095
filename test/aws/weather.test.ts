/** Every kind of weather is answered for by a test of an adapter, or stands here with the reason why none can meet it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { WEATHER_ROWS, type WeatherRowId } from '../../lib/local/weather-rows';

/** Only the twins play these. */
const NO_ADAPTER_MEETS: { readonly [R in WeatherRowId]?: string } = {
  'dynamodb.item-by-item': 'each single answer is right: what lies between two rows is seen by who reads both',
  'dynamodb.expired-there': 'the row is whole and valid: whoever reads it knows whether it is over',
  'stream.twice': 'Lambda delivers to a handler; the adapter only parses the batch that came',
  'stream.reordered': 'Lambda delivers to a handler; the adapter only parses the batch that came',
  'stream.apart': 'Lambda delivers to a handler; the adapter only parses the batch that came',
  'stream.down': 'Lambda keeps the place in the stream: no call of ours fails',
  'lambda.twice': 'the second run is a run like the first: only the handler can know',
  'scheduler.late': 'EventBridge Scheduler calls a handler: no adapter stands between',
  'scheduler.twice': 'EventBridge Scheduler calls a handler: no adapter stands between',
  'clock.step': 'a host’s clock answers, and is wrong: there is no call that could fail',
};
const ROWS = Object.keys(WEATHER_ROWS) as WeatherRowId[];

/** A title that begins with the id, or a row of `test.each` that is put at its beginning. */
function idsIn(text: string): string[] {
  return [...text.matchAll(/['"`]([a-z0-9]+\.[a-z-]+)(?=:|['"`])/g)].map(([, id = '']) => id);
}

const answeredFor = new Set(
  readdirSync(__dirname)
    .filter((file) => file.endsWith('.test.ts') && file !== 'weather.test.ts')
    .flatMap((file) => idsIn(readFileSync(join(__dirname, file), 'utf8'))),
);

test.each(ROWS)('%s is answered for by an adapter’s test, or by its reason', (row) => {
  expect([row, answeredFor.has(row) || row in NO_ADAPTER_MEETS]).toEqual([row, true]);
});

test('no row stands in both, and no reason is for a row that is gone', () => {
  expect(Object.keys(NO_ADAPTER_MEETS).filter((row) => answeredFor.has(row))).toEqual([]);
  expect(Object.keys(NO_ADAPTER_MEETS).filter((row) => !(ROWS as string[]).includes(row))).toEqual([]);
});

test('ids are seen where they name a test, and not in prose', () => {
  expect(idsIn("test('kms.lockout: a', …); test.each([['kms.stale', 1]])")).toEqual(['kms.lockout', 'kms.stale']);
  expect(idsIn('// kms.lockout: see there; and the row kms.stale')).toEqual([]);
});
