/** Which rows of AWS's weather somebody has met: the emulator, stubs on the SDK's wire, the twins, and this check. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { table } from '../../bin/edge/terminal';
import { WEATHER_ROWS, type WeatherRowId } from '../../lib/local/weather-rows';
import type { Check } from './check';
import { IAM_CHECKS } from './iam-checks';
import { INSTANCE_CHECKS } from './instance-checks';
import { KMS_CHECKS } from './kms-checks';
import { STORE_CHECKS } from './store-checks';

const PROJECT = resolve(__dirname, '..', '..');

export const CHECKS: readonly Check[] = [...KMS_CHECKS, ...IAM_CHECKS, ...STORE_CHECKS, ...INSTANCE_CHECKS];

/** Why a row is not looked for in a real account. */
export const NOT_LOOKED_FOR: { readonly [R in WeatherRowId]?: string } = {
  'kms.internal': 'nobody can ask KMS to fail',
  'kms.lost-answer': 'nobody can ask a network to lose an answer',
  'dynamodb.throttled': 'it takes thousands of writes per second to one partition',
  'dynamodb.lost-answer': 'nobody can ask a network to lose an answer',
  'dynamodb.late': 'nobody can ask a network to lose an answer',
  'stream.twice': 'it is rare: a day of watching would not show it',
  'stream.reordered': 'a new table has one shard',
  'stream.apart': 'Lambda shows its batches to the function alone',
  'stream.down': 'it takes a day',
  'lambda.lost-answer': 'nobody can ask a network to lose an answer',
  'lambda.killed': 'it would take a function of its own',
  'lambda.twice': 'it is rare: a day of watching would not show it',
  'iam.throttled': 'the rate belongs to the whole account, and others work in it',
  's3.slow-down': 'it takes thousands of requests per second on one prefix',
  'http.no-name': 'it takes a domain of your own',
  'events.throttled': 'it takes hundreds of events per second',
  'scheduler.twice': 'it is rare: a day of watching would not show it',
  'workflow.killed': 'nobody can ask Step Functions to fail',
  'clock.step': 'hosts of Lambda do not show their clocks',
  'cloudformation.roll-back': 'it would take a deployment that fails, and half an hour',
};

/** Whose tests run handlers on the twins. */
const IN_MEMORY = ['test/faults', 'test/lambdas', 'test/local', 'test/scenarios', 'test/store'];

/** By whom a row was met, as their files name it. */
interface Met {
  readonly emulator: boolean;
  readonly stubs: boolean;
  readonly twins: boolean;
  readonly here: boolean;
}

export function metBy(): ReadonlyMap<WeatherRowId, Met> {
  const emulator = textUnder('test/emulator');
  const stubs = textUnder('test/aws', ['weather.test.ts']);
  const twins = [textUnder('lib/local', ['weather-rows.ts']), ...IN_MEMORY.map((folder) => textUnder(folder))].join(
    '\n',
  );
  const here = new Set(CHECKS.flatMap(({ rows }) => rows));
  const names = (text: string, row: string) => new RegExp(`['"\`]${row.replace('.', '\\.')}(?=[:'"\`])`).test(text);
  return new Map(
    (Object.keys(WEATHER_ROWS) as WeatherRowId[]).map((row) => [
      row,
      { emulator: names(emulator, row), stubs: names(stubs, row), twins: names(twins, row), here: here.has(row) },
    ]),
  );
}

function textUnder(folder: string, but: readonly string[] = []): string {
  return readdirSync(join(PROJECT, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !but.includes(path))
    .map((path) => readFileSync(join(PROJECT, folder, path), 'utf8'))
    .join('\n');
}

export function rowsAsTable(): string {
  const rows = [...metBy()].map(([row, { emulator, stubs, twins, here }]) => {
    const before = [emulator && 'emulator', stubs && 'stubs', twins && 'twins'].filter(Boolean).join(', ');
    return [row, before || 'nobody', here ? 'yes' : `no: ${NOT_LOOKED_FOR[row]}`];
  });
  return table(['row', 'met until now by', 'looked for by this check'], rows);
}
