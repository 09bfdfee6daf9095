import { type Check, judgeBundle, type Verdict } from '../../../lib/domain/audit/bundle';
import { type EvidenceRecord, formatRecord } from '../../../lib/domain/evidence/record';
import { readOutbox } from '../../../lib/domain/evidence/unreadable';
import { formatVerifierKey } from '../../../lib/domain/tlog/note';
import { parseEntries } from '../../../lib/domain/tlog/tile';
import { extent } from '../../support/extent';
import { seedFor } from '../../support/seeded';
import { CASE, changed, LEGACY, lists, NEW, OTHER_CASE, otherWave, RECORDS, without } from './test-case';
import { bundleOf, LOG_KEY, type MemoryBundle, signedCheckpoint, TestKey } from './test-log';

const bundle = bundleOf(RECORDS, { case: CASE, lists });
const vkey = formatVerifierKey(LOG_KEY.verifier);
const failing = ({ checks }: Verdict): Check[] => checks.filter(({ ok }) => !ok);
const first = (verdict: Verdict) => failing(verdict)[0];

/** Records that say what they like, in a log that is well formed and well signed: the operator lies. */
const judged = (records: readonly (EvidenceRecord | string)[]) =>
  judgeBundle(bundleOf(records, { case: CASE, lists }), { vkey });

test('a whole bundle holds, and says what it does not prove', () => {
  const verdict = judgeBundle(bundle, { vkey });
  expect(failing(verdict)).toEqual([]);
  expect(verdict).toMatchObject({
    ok: true,
    case: CASE,
    keyFrom: 'pinned',
    checkpoint: { origin: 'curfew.test/log', size: RECORDS.length },
  });
  expect(verdict.notes).toEqual(['not independent of the operator: no signature of an outside witness']);
  expect(verdict.records.map(({ record }) => record)).toEqual(RECORDS);
});

test('without a pinned key the verdict says so', () => {
  const verdict = judgeBundle(bundle);
  expect(verdict).toMatchObject({ ok: true, keyFrom: 'bundle' });
  expect(verdict.notes[0]).toBe('key taken from the bundle: pin the one you were given with --vkey');
});

test('signatures of others are named and not judged', () => {
  const more = bundle.with('checkpoint', (note) => `${note}— witness.example/w AAAAAAAA\n`);
  expect(judgeBundle(more, { vkey }).notes[0]).toBe(
    'not independent of the operator: no signature of an outside witness; not judged: witness.example/w',
  );
});

test.each([
  [
    'another case',
    'CASE#c-other',
    false,
    /^the log lacks 1 records that could not be read: unreadable\/\S+ of c-other$/,
  ],
  ['a ring', 'RING#customer-api', false, / of customer-api$/],
  ['nobody', 'X#mallory', false, / of unknown$/],
  ['the case', `CASE#${CASE}`, true, undefined],
])('a record of %s that could not be read is never passed over in silence', (_of, pk, fails, note) => {
  const verdict = judged([...RECORDS, readOutbox({ pk, sk: 'OUT#000099.0', v: 1 }, 'keys', 1_900_000_000).record]);
  expect(failing(verdict).map(({ id }) => id)).toEqual(fails ? ['manifest', 'order'] : []);
  expect(verdict.notes.slice(1)).toEqual(note ? [expect.stringMatching(note)] : []);
});

test('a file beside the evidence is named as such', () => {
  const verdict = judgeBundle(bundle.with('report.html', '<html>'), { vkey });
  expect(verdict.ok).toBe(true);
  expect(verdict.notes).toContain('not part of the evidence: report.html');
});

test('every byte of every file of the log counts', () => {
  const some = RECORDS.filter(
    ({ type, body }) => type === 'ring.created' || (type === 'tokens.issued' && body.kid !== NEW),
  );
  const named = new Map([...lists].filter(([path]) => !path.startsWith(`lists/${NEW}/`)));
  const small = bundleOf(some, { case: CASE, lists: named });
  const evidence = small.list().filter((path) => path !== 'bundle.json');
  const integrity = ['key', 'signature', 'tree', 'records', 'tokens'];
  expect(failing(judgeBundle(small)).map(({ id }) => id)).toEqual(['manifest', 'order']);
  // By day every eighth, which by the seed; at night each.
  const step = extent(8, 1);
  for (const path of evidence) {
    const length = small.read(path)?.length ?? 0;
    for (let at = seedFor(path) % step; at < length; at += step)
      for (const bit of [1, 0x80]) {
        const flipped = small.with(path, (bytes) => {
          const copy = Buffer.from(bytes);
          copy[at] = (copy[at] ?? 0) ^ bit;
          return copy;
        });
        expect(failing(judgeBundle(flipped)).some(({ id }) => integrity.includes(id)) || `${path} byte ${at}`).toBe(
          true,
        );
      }
    for (const bad of [
      small.with(path, undefined),
      small.with(path, (bytes) => bytes.subarray(0, -1)),
      small.with(path, (bytes) => Buffer.concat([bytes, Buffer.of(0)])),
    ])
      expect(failing(judgeBundle(bad)).some(({ id }) => integrity.includes(id)) || path).toBe(true);
  }
});

describe('a bundle changed by somebody who has not the key', () => {
  const entries = `tile/entries/000.p/${RECORDS.length}`;
  const leaves = `tile/0/000.p/${RECORDS.length}`;
  const issued = [...lists.keys()][0] as string;
  const cases: [string, MemoryBundle, Partial<Check>][] = [
    [
      'no checkpoint',
      bundle.with('checkpoint', undefined),
      { id: 'signature', code: 'ERR_EVIDENCE_INCOMPLETE', detail: 'checkpoint is missing' },
    ],
    [
      'no key',
      bundle.with('log.vkey', undefined),
      { id: 'key', code: 'ERR_EVIDENCE_INCOMPLETE', detail: 'log.vkey is missing' },
    ],
    [
      'another key',
      bundle.with('log.vkey', `${formatVerifierKey(new TestKey('curfew.test/log2').verifier)}\n`),
      { id: 'signature', code: 'ERR_EVIDENCE_SIGNATURE' },
    ],
    ['a key file without a newline', bundle.with('log.vkey', vkey), { id: 'key', code: 'ERR_EVIDENCE_FORMAT' }],
    [
      'a checkpoint signed by somebody else',
      bundle.with('checkpoint', signedCheckpoint([], new TestKey('curfew.test/log2'))),
      { id: 'signature', code: 'ERR_EVIDENCE_SIGNATURE', detail: 'the note carries no signature of this key' },
    ],
    [
      'no entries',
      bundle.with(entries, undefined),
      { id: 'tree', code: 'ERR_EVIDENCE_INCOMPLETE', detail: `${entries} is missing` },
    ],
    [
      'no tile',
      bundle.with(leaves, undefined),
      { id: 'tree', code: 'ERR_EVIDENCE_INCOMPLETE', detail: `${leaves} is missing` },
    ],
    [
      'entries cut short',
      bundle.with(entries, (bytes) => bytes.subarray(0, -1)),
      { id: 'tree', code: 'ERR_EVIDENCE_FORMAT', detail: 'the entry bundle ends within an entry' },
    ],
    [
      'a tile of another log',
      bundle.with(leaves, (bytes) => Buffer.alloc(bytes.length)),
      { id: 'tree', code: 'ERR_EVIDENCE_TREE', detail: `the tile ${leaves} does not follow from the entries` },
    ],
    [
      'a tile too many',
      bundle.with('tile/0/001.p/1', Buffer.alloc(32)),
      {
        id: 'tree',
        code: 'ERR_EVIDENCE_TREE',
        detail: `a log of ${RECORDS.length} records has no tile tile/0/001.p/1`,
      },
    ],
    [
      'a checkpoint of more than there is',
      bundle.with('checkpoint', bundleOf([...RECORDS, ...RECORDS], { case: CASE }).read('checkpoint')),
      { id: 'tree', code: 'ERR_EVIDENCE_TREE' },
    ],
    [
      'no token list',
      bundle.with(issued, undefined),
      { id: 'tokens', code: 'ERR_EVIDENCE_INCOMPLETE', detail: `${issued} is missing` },
    ],
    [
      'another token list',
      bundle.with(issued, [...lists.values()][3]),
      { id: 'tokens', code: 'ERR_EVIDENCE_TREE', detail: `${issued} is not the list that its record commits to` },
    ],
    [
      'a token list nobody committed to',
      bundle.with('lists/x/00/y', 'z'),
      { id: 'tokens', code: 'ERR_EVIDENCE_TREE', detail: 'no record commits to lists/x/00/y' },
    ],
    [
      'no description',
      bundle.with('bundle.json', undefined),
      { id: 'bundle', code: 'ERR_EVIDENCE_INCOMPLETE', detail: 'bundle.json is missing' },
    ],
    [
      'a description in another spelling',
      bundle.with('bundle.json', (bytes) => ` ${bytes}`),
      { id: 'bundle', code: 'ERR_EVIDENCE_FORMAT' },
    ],
    [
      'a description that is not JSON',
      bundle.with('bundle.json', 'case'),
      { id: 'bundle', code: 'ERR_EVIDENCE_FORMAT', detail: 'bundle.json is not JSON' },
    ],
    [
      'another case',
      bundle.with('bundle.json', (bytes) => bytes.toString().replace(CASE, 'c-other')),
      { id: 'manifest', code: 'ERR_EVIDENCE_INCOMPLETE', detail: 'there is no case c-other in this log' },
    ],
  ];
  test.each(cases)('%s', (_what, files, expected) => {
    const verdict = judgeBundle(files);
    expect(verdict.ok).toBe(false);
    expect(first(verdict)).toMatchObject({ ok: false, ...expected });
  });

  test('entries in another order', () => {
    const swapped = bundle.with(entries, (bytes) => {
      const all = parseEntries(bytes, RECORDS.length).map((entry) =>
        Buffer.concat([Buffer.of(entry.length >> 8, entry.length & 255), entry]),
      );
      return Buffer.concat([all[1] as Buffer, all[0] as Buffer, ...all.slice(2)]);
    });
    expect(first(judgeBundle(swapped))).toMatchObject({ id: 'tree', code: 'ERR_EVIDENCE_TREE' });
  });

  test('what depends on a failed check is said to be unchecked, not to hold', () => {
    const verdict = judgeBundle(bundle.with(entries, undefined));
    expect(failing(verdict).map(({ id }) => id)).toEqual(['tree', 'records', 'tokens', 'waves', 'manifest', 'order']);
    expect(failing(verdict)[1]?.detail).toBe('not checked: the check "tree" failed');
    expect(verdict.records).toEqual([]);
  });

  test('with the pinned key at hand, a bundle signed by another is refused whole', () => {
    const other = formatVerifierKey(new TestKey('curfew.test/log2').verifier);
    expect(first(judgeBundle(bundle, { vkey: other }))).toMatchObject({
      id: 'key',
      code: 'ERR_EVIDENCE_SIGNATURE',
      detail: 'log.vkey is not the pinned key',
    });
  });
});

describe('a log changed by its operator, who has the key', () => {
  const at = (match: (record: EvidenceRecord) => boolean) => RECORDS.findIndex(match);
  const waveOf = (kid: string) => (record: EvidenceRecord) =>
    record.type === 'wave.completed' && record.body.kid === kid;
  const body = (more: object) => (record: EvidenceRecord) => ({ body: { ...record.body, ...more } });
  const issuedBy = (kid: string) => (record: EvidenceRecord) =>
    record.type === 'tokens.issued' && record.body.kid === kid;

  const cases: [string, (EvidenceRecord | string)[], Partial<Check>][] = [
    [
      'a record in another spelling',
      RECORDS.map((record, i) => (i === 4 ? `${formatRecord(record)} ` : record)),
      { id: 'records', code: 'ERR_EVIDENCE_RECORD', detail: 'a record is spelled canonically' },
    ],
    [
      'a record twice',
      [...RECORDS, RECORDS[0] as EvidenceRecord],
      { id: 'records', code: 'ERR_EVIDENCE_RECORD', detail: 'two records have the id customer-api/000010.0' },
    ],
    [
      'a token list recounted',
      changed(issuedBy(LEGACY), body({ count: 6 })),
      { id: 'tokens', code: 'ERR_EVIDENCE_RECORD' },
    ],
    [
      'a token list of no shards',
      changed(issuedBy(LEGACY), body({ lists: [], count: 0 })),
      { id: 'tokens', code: 'ERR_EVIDENCE_RECORD' },
    ],
    [
      'a kid that is a path',
      changed(issuedBy(LEGACY), body({ kid: '../..' })),
      { id: 'tokens', code: 'ERR_EVIDENCE_RECORD' },
    ],
    [
      'a wave that forgot a token',
      changed(waveOf(LEGACY), body({ done: 3, excluded: { expired: 2 } })),
      { id: 'waves', code: 'ERR_EVIDENCE_TREE' },
    ],
    [
      'a wave that does not add up',
      changed(waveOf(LEGACY), body({ source: 9 })),
      { id: 'waves', code: 'ERR_EVIDENCE_TREE' },
    ],
    [
      'a wave of another root',
      changed(waveOf(LEGACY), body({ root: RECORDS.find(waveOf('old-kid'))?.body.root })),
      { id: 'waves', code: 'ERR_EVIDENCE_TREE' },
    ],
    [
      'a wave to another kid',
      changed(waveOf(LEGACY), body({ toKid: 'elsewhere' })),
      { id: 'waves', code: 'ERR_EVIDENCE_TREE' },
    ],
    [
      'no closing',
      without(`${CASE}/closed`),
      { id: 'manifest', code: 'ERR_EVIDENCE_INCOMPLETE', detail: `1 expected records are missing: ${CASE}/closed` },
    ],
    [
      'cut off at the plan',
      RECORDS.slice(
        0,
        at(({ type }) => type === 'case.planned'),
      ),
      { id: 'manifest', code: 'ERR_EVIDENCE_INCOMPLETE' },
    ],
    [
      'a closing before the plan',
      changed(
        ({ type }) => type === 'case.closed',
        () => ({ at: 1_800_000_003 }),
      ),
      { id: 'order', code: 'ERR_EVIDENCE_RECORD' },
    ],
  ];
  test.each(cases)('%s', (_what, records, expected) => {
    // Lists that no record names any more would be found first.
    const named = new Map(
      [...lists].filter(([path]) =>
        records.some(
          (record) =>
            typeof record !== 'string' &&
            record.type === 'tokens.issued' &&
            path.startsWith(`lists/${record.body.kid}/`),
        ),
      ),
    );
    const verdict = judgeBundle(bundleOf(records, { case: CASE, lists: expected.id === 'tokens' ? lists : named }), {
      vkey,
    });
    expect(verdict.ok).toBe(false);
    expect(first(verdict)).toMatchObject({ ok: false, ...expected });
  });

  test('re-signed tokens that were never committed', () => {
    const records = RECORDS.filter((record) => !issuedBy(NEW)(record));
    const kept = new Map([...lists].filter(([path]) => !path.startsWith(`lists/${NEW}/`)));
    expect(first(judgeBundle(bundleOf(records, { case: CASE, lists: kept })))).toMatchObject({
      id: 'waves',
      code: 'ERR_EVIDENCE_TREE',
    });
  });

  test('two tokens committed under one jti', () => {
    const list = RECORDS.find(issuedBy(LEGACY)) as EvidenceRecord;
    const forged = {
      ...RECORDS.find(issuedBy(NEW)),
      id: 'issued/x/y',
      body: { ...RECORDS.find(issuedBy(NEW))?.body, kid: LEGACY },
    } as EvidenceRecord;
    const more = new Map(
      [...lists].flatMap(([path, text]) => [
        [path, text] as const,
        [path.replace(`lists/${NEW}/`, `lists/${LEGACY}/`), text] as const,
      ]),
    );
    const verdict = judgeBundle(bundleOf([...RECORDS, forged], { case: CASE, lists: more }));
    expect(list.body.kid).toBe(LEGACY);
    expect(first(verdict)).toMatchObject({
      id: 'tokens',
      code: 'ERR_EVIDENCE_TREE',
      detail: 'two tokens of legacy-kid were committed under one jti',
    });
  });

  test('a checkpoint of as many other records', () => {
    const others = [...RECORDS].reverse().map((record) => Buffer.from(formatRecord(record)));
    expect(first(judgeBundle(bundle.with('checkpoint', signedCheckpoint(others))))).toMatchObject({
      id: 'tree',
      code: 'ERR_EVIDENCE_TREE',
      detail: 'the entries do not hash to the root of the checkpoint',
    });
  });

  test.each([
    ['root', () => 'A'.repeat(43), 5],
    ['count', (count: number) => count + 1, 6],
  ])('a token list with another %s than it has', (member, lie, sum) => {
    const issued = RECORDS.find(issuedBy(LEGACY)) as EvidenceRecord;
    const [entry, ...rest] = issued.body.lists as unknown as [{ count: number }];
    const records = changed(
      issuedBy(LEGACY),
      body({ lists: [{ ...entry, [member]: lie(entry.count) }, ...rest], count: sum }),
    );
    expect(first(judged(records))).toMatchObject({
      id: 'tokens',
      code: 'ERR_EVIDENCE_TREE',
      detail: expect.stringMatching(/is not the list that its record commits to$/),
    });
  });

  test('judged holds for the records as they are', () => expect(judged(RECORDS).ok).toBe(true));
});

describe('a wave of another case', () => {
  const withWave = (options: Parameters<typeof otherWave>[1] = {}, caseId = CASE) => {
    const all = new Map(lists);
    const records = [...RECORDS, ...otherWave(all, options)];
    return judgeBundle(bundleOf(records, { case: caseId, lists: all }), { vkey });
  };

  test('that left out a token with the jti of one of ours does not end our bundle', () => {
    expect(failing(withWave())).toEqual([]);
  });

  test('is judged exactly in the bundle of its own case', () => {
    expect(first(withWave({}, OTHER_CASE))).toMatchObject({ id: 'waves', code: 'ERR_EVIDENCE_TREE' });
  });

  test('that left out no token of a jti used twice is refused in ours too', () => {
    expect(first(withWave({ excluded: { expired: 1 } }))).toMatchObject({ id: 'waves', code: 'ERR_EVIDENCE_TREE' });
  });

  test('whose new tokens are not committed yet says that a later export will hold', () => {
    expect(first(withWave({ resigned: false }))).toMatchObject({
      id: 'waves',
      code: 'ERR_EVIDENCE_TREE',
      fix: 'export again: re-signed tokens are committed up to a minute after their wave',
    });
  });
});

describe('with a checkpoint kept from before', () => {
  const entriesOf = (records: readonly EvidenceRecord[]) => records.map((record) => Buffer.from(formatRecord(record)));

  test.each([0, 1, 7, RECORDS.length])('a log that extends its %i records holds', (size) => {
    const earlier = signedCheckpoint(entriesOf(RECORDS.slice(0, size)));
    const verdict = judgeBundle(bundle, { vkey, earlier });
    expect(verdict.ok).toBe(true);
    expect(verdict.checks.map(({ id }) => id)).toContain('extends');
  });

  test('a log rolled back is refused', () => {
    const shorter = bundleOf(RECORDS.slice(0, 10), { case: CASE, lists });
    const verdict = judgeBundle(shorter, { vkey, earlier: signedCheckpoint(entriesOf(RECORDS)) });
    expect(first(verdict)).toMatchObject({
      id: 'extends',
      code: 'ERR_EVIDENCE_TREE',
      detail: `a tree of 10 cannot follow one of ${RECORDS.length}`,
    });
  });

  test('a log with another past is refused, complete or not', () => {
    const earlier = signedCheckpoint(entriesOf(RECORDS.slice(0, 7)));
    const [a, b, ...rest] = RECORDS as [EvidenceRecord, EvidenceRecord, ...EvidenceRecord[]];
    const verdict = judgeBundle(bundleOf([b, a, ...rest], { case: CASE, lists }), { vkey, earlier });
    expect(failing(verdict)).toMatchObject([{ id: 'extends', code: 'ERR_EVIDENCE_TREE' }]);
  });

  test('a checkpoint of somebody else is refused', () => {
    const earlier = signedCheckpoint([], new TestKey('elsewhere'));
    expect(first(judgeBundle(bundle, { vkey, earlier }))).toMatchObject({
      id: 'extends',
      code: 'ERR_EVIDENCE_SIGNATURE',
    });
  });
});
