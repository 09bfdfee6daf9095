/** Every entity: it reads what it wrote and nothing else, owns its own rows and nobody else's, and its refusals name no value. */
import fc from 'fast-check';
import { type CurfewError, isCurfewError } from '../../lib/domain/base/errors';
import { ENTITIES, entityOf } from '../../lib/domain/store/entities';
import type { Row } from '../../lib/domain/store/table';
import { valuesOf } from './arbitrary';
import { KID, SAMPLES, type Sample, WORKER } from './samples';
import { jsonSchemaOf } from './schema';
import { type Spoil, spoilsOf } from './spoils';

const CASES = SAMPLES.map((sample) => [sample.entity.name, sample] as const);

function refusalOf({ entity }: Sample, row: Row): CurfewError {
  try {
    entity.parse(row);
  } catch (error) {
    if (isCurfewError(error, 'ERR_ITEM_INVALID')) return error;
    throw error;
  }
  throw new Error(`${entity.name}: the row was read`);
}

const spoilsIn = ({ entity, members }: Sample) => spoilsOf(jsonSchemaOf(entity.schema), members);
const spoiltRow = ({ rowWith }: Sample, { value }: Spoil) => rowWith(Object(value));

test('there is a sample of every entity, and it has every member', () => {
  const names = (all: readonly { readonly name: string }[]) => all.map(({ name }) => name).sort();
  expect(names(SAMPLES.map(({ entity }) => entity))).toEqual(names(ENTITIES));
  const missing = SAMPLES.flatMap(({ entity, members }) => {
    const { properties = {}, oneOf } = jsonSchemaOf(entity.schema);
    return oneOf
      ? []
      : Object.keys(properties)
          .filter((name) => !(name in members))
          .map((name) => `${entity.name} ${name}`);
  });
  expect(missing).toEqual([]);
});

test.each(CASES)(
  '%s: what was written is read, and what was read is written alike',
  (_name, { entity, row, rowWith }) => {
    const ofKey = entity.fromKey({ pk: row.pk, sk: row.sk });
    fc.assert(
      fc.property(valuesOf(jsonSchemaOf(entity.schema)), (drawn) => {
        const members = Object(drawn);
        const stored = rowWith(members);
        expect(entity.parse(stored)).toEqual({ ...members, ...ofKey });
        const read = Object.entries(entity.parse(stored)).filter(([name]) => !(name in ofKey));
        expect(rowWith(Object.fromEntries(read))).toEqual(stored);
      }),
      { numRuns: 50 },
    );
  },
);

test.each(CASES)(
  '%s: its key gives a row that it owns, no other entity does, and its query finds',
  (_name, { entity, row, range }) => {
    const owners = SAMPLES.filter((other) => other.entity.table === entity.table && other.entity.owns(row));
    expect(owners.map((owner) => owner.entity.name)).toEqual([entity.name]);
    expect(entityOf(entity.table, row)).toBe(entity);
    if (range)
      expect([range.table, range.pk, row.sk.startsWith(range.prefix ?? '')]).toEqual([entity.table, row.pk, true]);
  },
);

test.each(CASES)('%s reads no row of another entity of its table', (_name, sample) => {
  const others = SAMPLES.filter(({ entity }) => entity.table === sample.entity.table && entity !== sample.entity);
  for (const { row } of others) expect(refusalOf(sample, row).message).toMatch(/: its key is not one of this shape$/);
});

test.each(CASES)(
  '%s refuses each member that is missing, of another type or unknown, at every depth, by its name',
  (_name, sample) => {
    const { table, name } = sample.entity;
    for (const spoil of spoilsIn(sample)) {
      const { message, got, fix } = refusalOf(sample, spoiltRow(sample, spoil));
      expect(message).toBe(`table ${table} has a ${name} that cannot be read: ${spoil.member} ${spoil.says}`);
      expect(got).toEqual({ table, entity: name, member: spoil.member });
      expect(fix).toMatch(/^find out who wrote the row/);
    }
  },
);

test.each(CASES)('%s refuses a row without a version, of an older one and of a newer one', (_name, sample) => {
  const { row, entity } = sample;
  const { v: _v, ...unversioned } = row;
  expect(refusalOf(sample, Object.assign({}, unversioned) as Row).message).toMatch(/: v is missing$/);
  for (const v of [entity.v + 1, entity.v - 2, `${entity.v}`, null])
    expect(refusalOf(sample, { ...row, v } as Row).message).toMatch(/: v is not \d+( or \d+)?$/);
});

/** Texts of a value, the names under which a record keeps them, and the parts of a key. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(textsIn);
}

/** Values of ours that any sentence may have. */
const COMMON_WORDS = ['open', 'shut'];

test('no refusal says a value or a key of the row', () => {
  let looked = 0;
  for (const sample of SAMPLES) {
    const secrets = [...textsIn(sample.row), ...`${sample.row.pk}#${sample.row.sk}`.split('#'), WORKER, KID];
    // Of a few letters, or a word of the entity's own name: it would be found anywhere.
    const telling = secrets.filter(
      (text) => text.length > 3 && !sample.entity.name.includes(text) && !COMMON_WORDS.includes(text),
    );
    for (const spoil of spoilsIn(sample)) {
      const { message, got, fix } = refusalOf(sample, spoiltRow(sample, spoil));
      const said = JSON.stringify([message, got, fix]);
      expect(telling.filter((text) => said.includes(text))).toEqual([]);
      looked++;
    }
  }
  expect(looked).toBeGreaterThan(500);
});
