import { checkManifest, checkOrder } from '../../../lib/domain/audit/manifest';
import { expectedKeyRecords, expectedRecords } from '../../../lib/domain/audit/owed';
import type { EvidenceRecord } from '../../../lib/domain/evidence/record';
import { readOutbox } from '../../../lib/domain/evidence/unreadable';
import { CASE, CONTAINMENT, changed, INVENTORY, LEGACY, OLD, PLAN, PRINCIPALS, RECORDS, without } from './test-case';

const incomplete = (message: string | RegExp) =>
  expect.objectContaining({ code: 'ERR_EVIDENCE_INCOMPLETE', message: expect.stringMatching(message) });

const STAGE_IDS = ['opened', 'listed', 'contained', 'inventory', 'planned', 'followed-up', 'closed'].map(
  (name) => `${CASE}/${name}`,
);

test('the manifest follows from what was recorded as input', () => {
  const expected = expectedRecords(RECORDS);
  expect(expected).toEqual([
    ...STAGE_IDS,
    ...CONTAINMENT.flatMap(({ nn }) => [`${CASE}/item/${nn}/contained`, `${CASE}/item/${nn}/proved`]),
    ...PLAN.flatMap(({ nn }) => [`${CASE}/item/${nn}/done`, `${CASE}/item/${nn}/proved`]),
  ]);
  expect(new Set(expected).size).toBe(expected.length);
  expect(PLAN.map(({ kind }) => kind)).toEqual(['taint', 'taint', 'login-profile', 'rotate-again']);
  expect(expectedKeyRecords(RECORDS, RECORDS)).toHaveLength(6);
});

test('a complete case is complete, and in order', () => {
  expect(checkManifest(RECORDS, CASE)).toEqual({ expected: expectedRecords(RECORDS).length + 6 });
  expect(() => checkOrder(RECORDS, CASE)).not.toThrow();
});

test.each(expectedRecords(RECORDS).filter((id) => !/(opened|listed|inventory)$/.test(id)))(
  'without %s it is not',
  (id) => {
    expect(() => checkManifest(without(id), CASE)).toThrow(incomplete(`^1 expected records are missing: ${id}$`));
  },
);

test('without its opening there is no case', () => {
  expect(() => checkManifest(without(`${CASE}/opened`), CASE)).toThrow(
    incomplete(`^there is no case ${CASE} in this log$`),
  );
  expect(() => checkManifest(RECORDS, 'c-other')).toThrow(incomplete('^there is no case c-other in this log$'));
});

test.each(['listed', 'inventory'])('without %s, which says what there was, it is not complete', (name) => {
  expect(() => checkManifest(without(`${CASE}/${name}`), CASE)).toThrow(incomplete(`${CASE}/${name}`));
});

test.each(['key.tainted', 'wave.completed', 'key.denied'])('each tainted kid owes a %s that names the case', (type) => {
  for (const kid of [LEGACY, OLD]) {
    const of = (record: EvidenceRecord) => record.type === type && record.body.kid === kid;
    expect(() =>
      checkManifest(
        RECORDS.filter((record) => !of(record)),
        CASE,
      ),
    ).toThrow(incomplete(`^1 expected records are missing: ${type} of ${kid}$`));
    const elsewhere = changed(of, ({ body }) => ({ case: 'c-other', body: { ...body, cases: ['c-other'] } }));
    expect(() => checkManifest(elsewhere, CASE)).toThrow(incomplete(`${type} of ${kid}`));
    const joined = changed(of, ({ body }) => ({ case: 'c-other', body: { ...body, cases: ['c-other', CASE] } }));
    expect(() => checkManifest(joined, CASE)).not.toThrow();
  }
});

test('a case with a record that could not be read is not complete, though all that it owes is there', () => {
  const row = { pk: `CASE#${CASE}`, sk: 'OUT#000099.0', v: 1 };
  const unreadable = readOutbox(row, 'cases', RECORDS.at(-1)?.at ?? 0).record;
  expect(() => checkManifest([...RECORDS, unreadable], CASE)).toThrow(
    incomplete(`^1 records of the case could not be read before they reached the log: ${unreadable.id}$`),
  );
});

test('a record of another case does not stand in for one of this, even where it names both', () => {
  const both = changed(
    ({ id }) => id === `${CASE}/closed`,
    () => ({ case: 'c-other', body: { cases: [CASE] } }),
  );
  expect(() => checkManifest(both, CASE)).toThrow(incomplete(`missing: ${CASE}/closed$`));
  const moved = changed(
    ({ id }) => id === `${CASE}/closed`,
    () => ({ case: 'c-other' }),
  );
  expect(() => checkManifest(moved, CASE)).toThrow(incomplete(`missing: ${CASE}/closed$`));
});

describe('a list that was frozen otherwise than its inputs ask for', () => {
  test('a principal nobody contained', () => {
    const more = [...PRINCIPALS, { ref: 'p3', type: 'kms-key' }];
    const records = changed(
      ({ type }) => type === 'case.listed',
      ({ body }) => ({ body: { ...body, principals: more } }),
    );
    expect(() => checkManifest(records, CASE)).toThrow(incomplete(`^${CASE}/listed lists other items`));
  });

  test('an exposure nobody answered', () => {
    const exposures = [...INVENTORY.exposures, { ref: 'e2', ring: 'customer-api', kid: OLD, class: 'copied-possible' }];
    const records = changed(
      ({ type }) => type === 'case.inventory',
      ({ body }) => ({ body: { ...body, exposures } }),
    );
    expect(() => checkManifest(records, CASE)).toThrow(incomplete(`^${CASE}/planned lists other items`));
  });

  test('a plan with an item left out', () => {
    const records = changed(
      ({ type }) => type === 'case.planned',
      () => ({ body: { items: PLAN.slice(1) } }),
    );
    expect(() => checkManifest(records, CASE)).toThrow(incomplete(`^${CASE}/planned lists other items`));
  });
});

describe('an inventory that the rest of the log contradicts', () => {
  const withKeys = (keys: readonly object[]) =>
    changed(
      ({ type }) => type === 'case.inventory',
      ({ body }) => ({ body: { ...body, keys } }),
    );
  const refused = (message: string) => expect.objectContaining({ code: 'ERR_EVIDENCE_RECORD', message });
  const [legacy, old] = INVENTORY.keys;

  test.each(['RETIRED', 'DENIED', 'VERIFY_ONLY', 'STANDBY', 'SUSPECT'])(
    'a copied key is not %s because it says so',
    (state) => {
      expect(() => checkManifest(withKeys([{ ...legacy, state }, old as object]), CASE)).toThrow(
        refused(
          `${CASE}/inventory calls key ${LEGACY} of ring customer-api ${state}; the records of the ring say OBSERVED`,
        ),
      );
    },
  );

  test('a key that the ring never had', () => {
    const keys = [...INVENTORY.keys, { ring: 'b2b', kid: 'other', state: 'ACTIVE' }];
    expect(() => checkManifest(withKeys(keys), CASE)).toThrow(
      refused(
        `${CASE}/inventory calls key other of ring b2b ACTIVE; the records of the ring say that it has no such key`,
      ),
    );
  });

  // Sorted by fence, not by place in the tree: this comes after the key's activation.
  const retired = (at: number): EvidenceRecord => ({
    v: 1,
    id: 'customer-api/000013.5',
    type: 'key.retired',
    at,
    ring: 'customer-api',
    body: { kid: OLD },
  });
  const frozenAt = RECORDS.find(({ type }) => type === 'case.inventory')?.at ?? 0;

  test.each([
    ['is accepted as it was read, up to two minutes before', -120, true],
    ['is stale three minutes later', -180, false],
    ['is the state of then, when it changed afterwards', 1, true],
  ])('a state that changed while the planner read %s', (_what, after, holds) => {
    const check = () => checkManifest([retired(frozenAt + after), ...RECORDS], CASE);
    if (holds) expect(check).not.toThrow();
    else
      expect(check).toThrow(
        refused(`${CASE}/inventory calls key ${OLD} of ring customer-api ACTIVE; the records of the ring say RETIRED`),
      );
  });

  test('a key denied long before stays so, though another case joined its taint since', () => {
    const ofKey = (n: number, type: EvidenceRecord['type'], at: number): EvidenceRecord => ({
      ...retired(frozenAt + at),
      id: `customer-api/000013.${n}`,
      type,
    });
    const past = [ofKey(5, 'key.tainted', -500), ofKey(6, 'key.denied', -400), ofKey(7, 'key.tainted', -10)];
    const check = () => checkManifest([...past, ...RECORDS], CASE);
    expect(check).toThrow(
      refused(`${CASE}/inventory calls key ${OLD} of ring customer-api ACTIVE; the records of the ring say DENIED`),
    );
  });

  test('a follow-up that follows nothing would owe no second rotation', () => {
    const records = changed(
      ({ type }) => type === 'case.inventory',
      ({ body }) => ({ body: { ...body, followUp: true } }),
    );
    expect(() => checkManifest(records, CASE)).toThrow(
      refused(`${CASE}/inventory has followUp, and ${CASE}/opened does not say that the case follows another`),
    );
    const linked = changed(
      ({ type }) => type === 'case.opened',
      ({ body }) => ({ body: { ...body, followUpOf: 'c-first' } }),
    );
    expect(() => checkManifest(linked, CASE)).toThrow(
      refused(`${CASE}/inventory lacks followUp, and ${CASE}/opened says that the case follows another`),
    );
  });
});

test.each<[string, object]>([
  ['null', { principals: null }],
  ['a number', { principals: 7 }],
  ['an array of nothing', { principals: [null] }],
])('principals that are %s are refused', (_what, body) => {
  const records = changed(
    ({ type }) => type === 'case.listed',
    () => ({ body }),
  );
  expect(() => checkManifest(records, CASE)).toThrow(
    expect.objectContaining({
      code: 'ERR_EVIDENCE_RECORD',
      message: 'the planner rejects the recorded inputs of the case',
    }),
  );
});

describe('a record dated before what it follows from is refused', () => {
  const item = (nn: string | undefined, phase: string) => `${CASE}/item/${nn}/${phase}`;
  const [first, planned] = [CONTAINMENT[0]?.nn, PLAN[0]?.nn];
  test.each([
    [`${CASE}/listed`, `${CASE}/opened`],
    [`${CASE}/contained`, `${CASE}/listed`],
    [`${CASE}/planned`, `${CASE}/inventory`],
    [`${CASE}/closed`, `${CASE}/planned`],
    [item(first, 'contained'), `${CASE}/listed`],
    [item(first, 'proved'), `${CASE}/listed`],
    [item(planned, 'done'), `${CASE}/planned`],
    [item(planned, 'proved'), item(planned, 'done')],
  ])('%s before %s', (after, before) => {
    const records = changed(
      ({ id }) => id === after,
      () => ({ at: (RECORDS.find(({ id }) => id === before)?.at ?? 0) - 1 }),
    );
    expect(() => checkOrder(records, CASE)).toThrow(
      expect.objectContaining({
        code: 'ERR_EVIDENCE_RECORD',
        message: `${after} is dated before ${before}, which it follows`,
      }),
    );
  });

  test('a key denied before it was tainted', () => {
    const denied = (record: EvidenceRecord) => record.type === 'key.denied' && record.body.kid === OLD;
    const records = changed(denied, ({ at }) => ({ at: at - 1 }));
    expect(() => checkOrder(records, CASE)).toThrow(expect.objectContaining({ code: 'ERR_EVIDENCE_RECORD' }));
  });

  test('anything after the closing', () => {
    const proved = item(planned, 'proved');
    const records = changed(
      ({ id }) => id === proved,
      ({ at }) => ({ at: at + 10 }),
    );
    expect(() => checkOrder(records, CASE)).toThrow(
      expect.objectContaining({ message: `${CASE}/closed is dated before ${proved}, which it follows` }),
    );
  });
});
