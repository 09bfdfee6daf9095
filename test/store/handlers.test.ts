/**
 * Every entity, through every Lambda and command that reads it: a row with one member missing, mistyped or unknown, or of
 * another version, is refused by name, and nothing happens after it was read. Which of them read which rows is recorded
 * in three stories, so that a new reading is tried from the day it is played.
 */
import { COMMAND_RIGHTS } from '../../lib/domain/deployment/access';
import { RIGHTS } from '../../lib/domain/deployment/rights';
import { ENTITIES } from '../../lib/domain/store/entities';
import type { Row } from '../../lib/domain/store/table';
import { extent } from '../support/extent';
import { seedFor } from '../support/seeded';
import { ANSWERS, GOES_ON_FIRST, nameOf } from './by-design';
import { matrixOf } from './matrix';
import { sampleOf } from './samples';
import { firstOfEach, isRefused, type Moment, type Outcome } from './scene';
import { commandScene } from './scenes/commands';
import { departureScene } from './scenes/departure';
import { ringScene } from './scenes/ring';
import { spoiltRows } from './spoils';
import type { Reader, Reading } from './tap';

/** Rows that no Lambda reads by itself, and why. */
const READ_BY_NONE: Readonly<Record<string, string>> = {
  'pointer from a kid to its ring': 'a kid is of one ring: a second one is refused because the row is there',
  'gate of a ring': 'a transaction tests its members; nobody reads them',
  'statement of a case': 'kept for people: what HR said, beside the fold of it',
  'wrapped key of a person': 'the port `sealer` reads it past the tables: test/store/wrapped-key.test.ts',
};

/** By day every twelfth, which by the seed: `npm run verify:all` tries each. */
const STEP = extent(12, 1);
const drawn = (n: number) => n % STEP === seedFor('spoilt') % STEP;

let moments: readonly Moment[];
let asked: ReadonlySet<string>;
const tried: { reader: Reader; entity: string; rows: number }[] = [];
const began = process.cpuUsage();

beforeAll(async () => {
  const scenes = [await ringScene(), await departureScene(), await commandScene()];
  moments = scenes.flatMap((scene) => scene.moments);
  asked = new Set(scenes.flatMap(({ tap }) => [...tap.asked]));
});

/** What is wrong with how an act ended; undefined where it ended as it must. */
function faultOf(moment: Moment, reading: Reading, outcome: Outcome): string | undefined {
  const { answer, error, effectsAfter } = outcome;
  const name = nameOf(moment, reading);
  if (ANSWERS.some(({ of, isTold }) => of.test(name) && answer !== undefined && isTold(outcome))) return undefined;
  const where = `${name}, a ${reading.entity.name} read by ${reading.site}`;
  if (!isRefused(outcome))
    return `${where}: ended with ${error ?? JSON.stringify(answer)}, not with ${outcome.message}`;
  if (effectsAfter.length === 0 || GOES_ON_FIRST.some(({ of }) => of.test(name))) return undefined;
  return `${where}: then did ${effectsAfter.join(', ')}`;
}

const newer = (row: Row): Row => ({ ...row, v: 99 });
const byWhomItWasAsked = (reading: Reading, moment: Moment) => reading.reader === moment.reader;

test.each(ENTITIES.map((entity) => [entity.name, entity] as const))(
  '%s: whoever reads a spoilt row refuses it and stops',
  async (name, entity) => {
    const { entity: whole } = sampleOf(name);
    const readings = firstOfEach(moments, (reading, moment) =>
      reading.entity === entity && byWhomItWasAsked(reading, moment) ? reading.reader : undefined,
    );
    const faults: string[] = [];
    for (const { moment, reading } of readings) {
      const rows = spoiltRows(whole, reading.row);
      for (const [n, { what }] of rows.entries()) {
        if (!drawn(n)) continue;
        // Played again it may be another row of the same shape: it is spoilt in the same way.
        const outcome = await moment.scene.replay(moment, reading, (row) => spoiltRows(whole, row)[n]?.row ?? row);
        const fault = faultOf(moment, reading, outcome);
        if (fault !== undefined) faults.push(`${what}: ${fault}`);
      }
      tried.push({ reader: reading.reader, entity: name, rows: rows.filter((_, n) => drawn(n)).length });
    }
    expect(faults).toEqual([]);
    expect([name, readings.length === 0]).toEqual([name, name in READ_BY_NONE]);
  },
);

test('from whichever place in the code a row is read, a newer one is refused, and nothing happens after it', async () => {
  const places = firstOfEach(moments, (reading, moment) =>
    byWhomItWasAsked(reading, moment) ? `${reading.reader} ${reading.entity.name} ${reading.site}` : undefined,
  );
  expect(places.length).toBeGreaterThan(200);
  expect(await faultsIn(places)).toEqual([]);
});

test('a row that a callee cannot read fails the caller, or the answer tells of it', async () => {
  const places = firstOfEach(moments, (reading, moment) =>
    byWhomItWasAsked(reading, moment) ? undefined : `${nameOf(moment, reading)} ${reading.entity.name}`,
  );
  expect(places.length).toBeGreaterThan(100);
  expect(await faultsIn(places)).toEqual([]);
});

async function faultsIn(places: ReturnType<typeof firstOfEach>): Promise<string[]> {
  const faults: string[] = [];
  for (const [n, { moment, reading }] of places.entries()) {
    if (!drawn(n)) continue;
    const fault = faultOf(moment, reading, await moment.scene.replay(moment, reading, newer));
    if (fault !== undefined) faults.push(fault);
  }
  return faults;
}

test('whatever a Lambda or a command asks for, some act of the stories found such a row', () => {
  const found = new Set(
    moments.flatMap(({ readings }) => readings.map(({ reader, entity }) => `${reader}: ${entity.name}`)),
  );
  expect([...asked].filter((one) => !found.has(one))).toEqual([]);
});

test('every Lambda and command that may read a table is in the stories', () => {
  const readers = new Set(moments.map(({ reader }) => reader));
  const mayRead = (rights: readonly string[]) =>
    rights.some((right) => /^[a-z-]+:(get|query|scan)$/.test(right) && !NO_TABLE.test(right));
  const all = Object.entries({ ...RIGHTS, ...COMMAND_RIGHTS }).filter(([, rights]) => mayRead(rights));
  expect(all.map(([name]) => name).filter((name) => !readers.has(name as Reader))).toEqual([]);
});

const NO_TABLE = /^(evidence|heads|public|http|hr-sources):/;

test('no exception is left that no act needs', () => {
  const names = new Set(moments.flatMap((moment) => moment.readings.map((reading) => nameOf(moment, reading))));
  expect([...ANSWERS, ...GOES_ON_FIRST].filter(({ of }) => ![...names].some((name) => of.test(name)))).toEqual([]);
});

afterAll(() => {
  const { user, system } = process.cpuUsage(began);
  process.stdout.write(`${matrixOf(tried)}\n${((user + system) / 1e6).toFixed(1)} s of CPU\n`);
});
