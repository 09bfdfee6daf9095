/** Case ids as people give them: whole, or the beginning of one that is not over. */

import { decideCase } from '../../bin/commands/case-decide';
import { explainCase } from '../../bin/commands/case-explain';
import { CASE_CHARACTERS_MIN, findCaseId } from '../../bin/commands/case-id';
import { showCase } from '../../bin/commands/case-show';
import type { DepartureCase } from '../../lib/domain/cases/case';
import { CASE, DUE_MARKER } from '../../lib/domain/store/case';
import { put } from '../../lib/domain/store/entity';
import { type DepartureWorld, departureWorld, metas, send } from '../scenarios/departure-world';
import { calmly } from '../scenarios/signing-world';

const ALIKE = 'c-AbCdEf';
let world: DepartureWorld;
let meta: DepartureCase;
beforeAll(async () => {
  world = await departureWorld(calmly);
  await send(world);
  meta = metas(world)[0] as DepartureCase;
  for (const [end, isOver] of [
    ['1'.repeat(16), false],
    ['2'.repeat(16), false],
    ['2'.repeat(15).concat('3'), true],
  ] as const) {
    const caseId = `${ALIKE}${end}`;
    await world.tables.transact([
      put(CASE, [caseId], { ...meta, caseId }),
      ...(isOver ? [] : [put(DUE_MARKER, [world.clock.now(), caseId], { caseId, attempt: 1 })]),
    ]);
  }
  // One that is short, as an older version may have made it.
  await world.tables.transact([put(CASE, ['c-x'], { ...meta, caseId: 'c-x' })]);
});

const found = (given: string) => findCaseId(given, { tables: world.tables.parsed });

test('whole, and by its beginning', async () => {
  for (const length of [24, 23, 12, 2 + CASE_CHARACTERS_MIN])
    expect(await found(meta.caseId.slice(0, length))).toBe(meta.caseId);
  expect(await found(`${ALIKE}1`)).toBe(`${ALIKE}${'1'.repeat(16)}`);
  expect(await found('c-x')).toBe('c-x');
  expect(await found(`${ALIKE}${'2'.repeat(15)}3`)).toBe(`${ALIKE}${'2'.repeat(15)}3`);
});

test('two that begin so are both named, the one that is over is not', async () => {
  await expect(found(ALIKE)).rejects.toMatchObject({
    code: 'ERR_INPUT_INVALID',
    message: '2 cases have an id that begins so',
    allowed: [`${ALIKE}${'1'.repeat(16)}`, `${ALIKE}${'2'.repeat(16)}`],
  });
  expect(await found(`${ALIKE}2`)).toBe(`${ALIKE}${'2'.repeat(16)}`);
});

test.each(['c-AbCdE', 'c-a', 'c-'.concat('_')])('%s is too short to say which', async (given) => {
  await expect(found(given)).rejects.toMatchObject({
    code: 'ERR_INPUT_INVALID',
    message: expect.stringMatching(/fewer than 6/),
  });
});

test.each(['', 'c-', 'AbCdEf1', 'CASE#c-AbCdEf', `c-${'a'.repeat(23)}`, 'c-AbCdEf ', '../c-AbCdEf'])(
  '%p is no case id',
  async (given) => {
    await expect(found(given)).rejects.toMatchObject({ code: 'ERR_INPUT_INVALID' });
  },
);

test('of none that is not over: it says that a sealed one needs its whole id', async () => {
  await expect(found('c-zzzzzz')).rejects.toMatchObject({
    code: 'ERR_NOT_FOUND',
    fix: 'see `curfew case list`; a case that is sealed needs its whole id',
  });
});

test('every command that takes a case takes its beginning, and says the whole', async () => {
  const ports = { tables: world.tables.parsed, clock: world.clock } as never;
  const short = meta.caseId.slice(0, 8);
  expect((await showCase(ports, short)).text).toContain(`case ${meta.caseId}  `);
  expect((await explainCase(ports, short)).json).toMatchObject({ caseId: meta.caseId });
  await expect(decideCase(ports, short, 'go-on', 'CHG-7')).rejects.toMatchObject({
    message: `nothing stops case ${meta.caseId}: it has no open question`,
  });
});
