import type { CaseMeta } from '../../../lib/domain/cases/case';
import { listContainment, PRINCIPALS_MAX, type PrincipalRef } from '../../../lib/domain/cases/containment';
import { EXPOSURES_MAX, type Inventory, planCase } from '../../../lib/domain/cases/plan';
import { inventoryRecord, listedRecord, plannedRecord } from '../../../lib/domain/cases/records';
import { formatRecord, RECORD_BYTES_MAX } from '../../../lib/domain/evidence/record';
import { DEK_BYTES, IV_BYTES, sealField } from '../../../lib/domain/evidence/sealed';

const META = { caseId: `c-${'x'.repeat(22)}`, pseudonym: 'p'.repeat(22) } as CaseMeta;
const RING = 'r'.repeat(40);
const AT = 1_800_000_000;
const size = (record: Parameters<typeof formatRecord>[0]) => Buffer.byteLength(formatRecord(record));
const times = <T>(n: number, make: (n: number) => T): T[] => Array.from({ length: n }, (_, i) => make(i));

const users = times(
  PRINCIPALS_MAX,
  (n): PrincipalRef => ({ ref: `p${n}`, type: 'iam-user', exists: true, accessKeys: 2, loginProfile: true }),
);

test.each<[string, PrincipalRef[]]>([
  ['users with two keys each', users],
  ['subjects', times(PRINCIPALS_MAX, (n) => ({ ref: `p${n}`, type: 'subject', ring: RING }))],
  [
    'unknown principals',
    times(PRINCIPALS_MAX, (n) => ({
      ref: `p${n}`,
      type: 'unknown',
      reason: 'a subject of a ring that does not exist',
    })),
  ],
])('as many %s as a case lists fit into a record', (_what, principals) => {
  const record = listedRecord(META, 1, principals, listContainment(principals), AT);
  expect(size(record)).toBeLessThanOrEqual(RECORD_BYTES_MAX);
});

const inventory = (state: 'VERIFY_ONLY' | undefined): Inventory => {
  const named = times(EXPOSURES_MAX, (n) => ({ ring: RING, kid: `${'k'.repeat(61)}${100 + n}` }));
  return {
    firstItem: 601,
    followUp: false,
    principals: users,
    exposures: named.map((key, n) => ({ ref: `e${n}`, ...key, class: 'copied-possible' })),
    omitted: 1000,
    keys: state === undefined ? [] : named.map((key) => ({ ...key, state })),
  };
};

test.each([['VERIFY_ONLY'], [undefined]] as const)(
  'the longest inventory and its plan fit, with keys that are %s',
  (state) => {
    const how = Object.fromEntries(
      times(EXPOSURES_MAX, (n) => [`e${n}`, { how: 'ば'.repeat(120), since: Number.MAX_SAFE_INTEGER }]),
    );
    const where = { pseudonym: 'p', context: 'x' };
    const sealed = sealField(Buffer.alloc(DEK_BYTES), Buffer.alloc(IV_BYTES), where, JSON.stringify(how));
    expect(size(inventoryRecord(META, inventory(state), sealed, AT))).toBeLessThanOrEqual(RECORD_BYTES_MAX);
    expect(size(plannedRecord(META, planCase(inventory(state)), AT))).toBeLessThanOrEqual(RECORD_BYTES_MAX);
  },
);

test('a record that the log would not take is refused before anything carries it', () => {
  expect(() => inventoryRecord(META, inventory('VERIFY_ONLY'), 's'.repeat(RECORD_BYTES_MAX), AT)).toThrow(
    expect.objectContaining({
      code: 'ERR_PLAN_INVALID',
      message: `the record ${META.caseId}/inventory is larger than the log takes`,
    }),
  );
});
