/** What an entity does with any row: one that this file declares, so that the machinery is seen apart from our shapes. */
import * as z from 'zod/mini';
import { isCurfewError } from '../../lib/domain/base/errors';
import { entity, previously, type Schema } from '../../lib/domain/store/entity';
import type { Row } from '../../lib/domain/store/table';
import { WORKER } from './samples';

interface Badge {
  readonly colour: string;
  readonly doors: readonly { readonly door: string; readonly until: number }[];
  readonly notes?: Readonly<Record<string, string>>;
}

const schema: Schema<Badge> = z.strictObject({
  colour: z.string(),
  doors: z.array(z.strictObject({ door: z.string(), until: z.int() })),
  notes: z.optional(z.record(z.string(), z.string())),
});

const declared = {
  name: 'badge',
  table: 'people',
  key: (worker: string) => ({ pk: `WORKER#${worker}`, sk: 'BADGE' }),
  owns: ({ pk, sk }: { pk: string; sk: string }) => pk.startsWith('WORKER#') && sk === 'BADGE',
  part: (worker: string) => ({ pk: `WORKER#${worker}`, prefix: 'BADGE' }),
  fromKey: ({ pk }: { pk: string }) => ({ worker: pk.slice('WORKER#'.length) }),
} as const;

/** Version 3 of a shape whose version 2 had one door, and that by its name. */
const BADGE = entity({
  ...declared,
  v: 3,
  schema,
  previous: previously(
    z.strictObject({ colour: z.string(), door: z.string() }),
    ({ colour, door }): Badge => ({ colour, doors: [{ door, until: 0 }] }),
  ),
});
const FIRST = entity({ ...declared, schema });

const members: Badge = { colour: 'red', doors: [{ door: 'north', until: 7 }], notes: { lost: 'twice' } };
const row = BADGE.row([WORKER], members);

function refusalOf(of: { parse: (row: Row) => unknown }, given: unknown) {
  try {
    of.parse(given as Row);
  } catch (error) {
    if (isCurfewError(error, 'ERR_ITEM_INVALID')) return error;
    throw error;
  }
  throw new Error('the row was read');
}
const whatIsWrong = (given: object) => refusalOf(BADGE, given).message.replace(/^.* cannot be read: /, '');

test('a row is its key, its version and its members, and is read back with what its key says', () => {
  expect(row).toEqual({ pk: 'WORKER#W-1042', sk: 'BADGE', v: 3, ...members });
  expect(BADGE.parse(row)).toEqual({ ...members, worker: WORKER });
  expect(FIRST.row([WORKER], members).v).toBe(1);
});

test('a member that may be absent is absent in the row, not undefined, and so it is read', () => {
  const { notes: _notes, ...without } = members;
  expect(BADGE.parse(BADGE.row([WORKER], without))).toEqual({ ...without, worker: WORKER });
  // As DynamoDB's client and the twin drop it.
  expect(BADGE.parse(BADGE.row([WORKER], { ...without, notes: undefined }))).toEqual({ ...without, worker: WORKER });
});

test('a query asks for the part, and a shape without one is not queried', () => {
  expect(BADGE.in(WORKER)).toMatchObject({ table: 'people', pk: 'WORKER#W-1042', prefix: 'BADGE' });
  expect(BADGE.in(WORKER).parse(row)).toEqual(BADGE.parse(row));
  const { part: _part, ...unqueried } = declared;
  expect(() => entity({ ...unqueried, schema }).in()).toThrow(
    expect.objectContaining({
      code: 'ERR_INPUT_INVALID',
      message: 'table people has no query for rows of entity badge',
    }),
  );
});

test.each<[string, object, string]>([
  ['a member that is absent', { ...row, colour: undefined }, 'colour is missing'],
  ['a member of another type', { ...row, colour: 7 }, 'colour is not what it must be'],
  ['null for a member', { ...row, colour: null }, 'colour is not what it must be'],
  ['a member that nobody knows', { ...row, size: 'XL' }, 'size is not a member of this version'],
  ['an object for a list', { ...row, doors: {} }, 'doors is not what it must be'],
  ['an element of another type', { ...row, doors: ['north'] }, 'doors.0 is not what it must be'],
  ['the second element', { ...row, doors: [...members.doors, { door: 'south' }] }, 'doors.1.until is missing'],
  [
    'a member too many in a list',
    { ...row, doors: [{ door: 'n', until: 1, at: 2 }] },
    'doors.0.at is not a member of this version',
  ],
  ['a member of a record', { ...row, notes: { lost: 2 } }, 'notes.lost is not what it must be'],
  ['a number that is text', { ...row, doors: [{ door: 'n', until: '7' }] }, 'doors.0.until is not what it must be'],
  [
    'a number beyond those that are exact',
    { ...row, doors: [{ door: 'n', until: 2 ** 53 }] },
    'doors.0.until is not what it must be',
  ],
])('%s is refused by its name', (_what, given, says) => {
  expect(whatIsWrong(given)).toBe(says);
});

test.each<[unknown, string]>([
  [undefined, 'v is missing'],
  [1, 'v is not 2 or 3'],
  [4, 'v is not 2 or 3'],
  ['3', 'v is not 2 or 3'],
  [null, 'v is not 2 or 3'],
])('a row of version %p is not one that we read', (v, says) => {
  expect(whatIsWrong({ ...row, v })).toBe(says);
});

test('its own version and the one before are read, each by its own schema', () => {
  const before = { pk: row.pk, sk: row.sk, v: 2, colour: 'red', door: 'north' };
  expect(BADGE.parse(before)).toEqual({ colour: 'red', doors: [{ door: 'north', until: 0 }], worker: WORKER });
  expect(whatIsWrong({ ...before, v: 3 })).toBe('doors is missing');
  expect(whatIsWrong({ ...row, v: 2 })).toBe('door is missing');
  expect(whatIsWrong({ ...before, doors: [] })).toBe('doors is not a member of this version');
  expect(refusalOf(FIRST, { ...row, v: 0 }).message).toMatch(/: v is not 1$/);
});

test.each<[string, object]>([
  ['another sort key', { ...row, sk: 'BADGES' }],
  ['another partition', { ...row, pk: 'CASE#1' }],
  ['no sort key', { ...row, sk: undefined }],
  ['a number for a key', { ...row, pk: 7 }],
])('a row under %s is not of this shape', (_what, given) => {
  expect(whatIsWrong(given)).toBe('its key is not one of this shape');
});

test('a refusal names table, shape and member, and nobody: not in what it says, not in what it carries', () => {
  const spoilt = { ...row, colour: { [WORKER]: WORKER }, [WORKER]: WORKER };
  for (const given of [spoilt, { ...row, notes: { [WORKER]: 7 } }, { ...row, [WORKER]: 1 }, { ...row, sk: WORKER }]) {
    const error = refusalOf(BADGE, given);
    expect(error.message).toMatch(
      /^table people has a badge that cannot be read: (colour|notes\.\*|\*|its key) is not /,
    );
    expect(error.got).toEqual({ table: 'people', entity: 'badge', member: expect.any(String) });
    expect(JSON.stringify([error.message, error.got, error.allowed, error.fix])).not.toContain(WORKER);
    expect(error.cause).toBeUndefined();
  }
});
