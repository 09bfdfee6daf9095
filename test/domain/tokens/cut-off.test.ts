import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { CUT_OFF } from '../../../lib/domain/store/cut-off';
import { blind, isCutOff } from '../../../lib/domain/tokens/cut-off';
import { checkNotCutOff, setCutOff } from '../../../lib/domain/tokens/cut-off-transitions';
import { MemoryTables } from '../../../lib/local/tables';
import { NOW } from '../../support/rings';

const RING = 'customer-api';
const cutAt = async (tables: MemoryTables, notBefore: number) =>
  tables.transact(setCutOff({ ring: RING, blinded: 'b', caseId: 'c-1' }, notBefore, NOW)).then(
    () => true,
    () => false,
  );
const mayIssue = async (tables: MemoryTables, iat: number) =>
  tables.transact([checkNotCutOff(RING, 'b', iat)]).then(
    () => true,
    () => false,
  );
const stored = async (tables: MemoryTables) => {
  const cutOff = await tables.parsed.get(CUT_OFF, RING, 'b');
  return cutOff && { blinded: cutOff.blinded, notBefore: cutOff.notBefore, blocked: cutOff.blocked };
};

test('a subject is blinded with the pepper, the type and a byte no type can hold', () => {
  const expected = createHmac('sha256', 'pepper')
    .update(Buffer.from([...Buffer.from('sub'), 0, ...Buffer.from('member-1')]))
    .digest('base64url');
  expect(blind('pepper', { type: 'sub', value: 'member-1' })).toBe(expected);
});

test('types, values and peppers never meet', () => {
  const names = (['sub', 'act', 'client'] as const).flatMap((type) =>
    ['m', 'sub\0m', '\0m', ''].flatMap((value) => ['p1', 'p2'].map((pepper) => blind(pepper, { type, value }))),
  );
  expect(new Set(names).size).toBe(names.length);
});

test('a cut-off refuses what was issued until then, to the second, and a block refuses everything', () => {
  const cut = (blocked: boolean) => ({ notBefore: NOW, blocked });
  expect([NOW - 1, NOW, NOW + 1].map((iat) => isCutOff(cut(false), iat))).toEqual([true, true, false]);
  expect([0, NOW, Number.MAX_SAFE_INTEGER].map((iat) => isCutOff(cut(true), iat))).toEqual([true, true, true]);
  expect(isCutOff(undefined, 0)).toBe(false);
});

test('it only ever moves forward: replays, older cases and any order of them end at the latest', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 12 }), async (instants) => {
      const tables = new MemoryTables();
      let highest = -1;
      for (const notBefore of instants) {
        expect(await cutAt(tables, notBefore)).toBe(notBefore > highest);
        highest = Math.max(highest, notBefore);
        expect(await stored(tables)).toEqual({ blinded: 'b', notBefore: highest, blocked: true });
      }
    }),
    { numRuns: 60 },
  );
});

test('nothing is issued to a blocked subject, whatever the iat; anything is where nobody was cut off', async () => {
  const tables = new MemoryTables();
  expect(await mayIssue(tables, 0)).toBe(true);
  await cutAt(tables, NOW);
  for (const iat of [0, NOW, NOW + 1, NOW + 10 ** 9]) expect(await mayIssue(tables, iat)).toBe(false);
});

test('a lower cut-off for a new case is refused and the old case keeps its name on it', async () => {
  const tables = new MemoryTables();
  await tables.transact(setCutOff({ ring: RING, blinded: 'b', caseId: 'c-1' }, NOW, NOW));
  await expect(tables.transact(setCutOff({ ring: RING, blinded: 'b', caseId: 'c-2' }, NOW, NOW))).rejects.toMatchObject(
    {
      code: 'ERR_CONDITION_FAILED',
      message: 'write 0 (update cut-offs) was refused by its condition; nothing was written',
    },
  );
  expect((await tables.get('cut-offs', CUT_OFF.key(RING, 'b')))?.caseId).toBe('c-1');
});
