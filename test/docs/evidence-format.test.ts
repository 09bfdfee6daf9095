/** docs/evidence-format.md: the type and body of every record, against records that a departure and a ring write. */

import { approvedOutgoing, approverSetWrites } from '../../lib/domain/cases/decisions';
import {
  acceptedRecord,
  askedRecord,
  endedRecord,
  heldRecord,
  openedTaintRecord,
  recheckedRecord,
  recheckRecord,
} from '../../lib/domain/cases/records';
import { commit } from '../../lib/domain/evidence/commitment';
import { type EvidenceRecord, formatRecord, RECORD_TYPES } from '../../lib/domain/evidence/record';
import { readOutbox } from '../../lib/domain/evidence/unreadable';
import { keepLegacyKeys, shortenLegacyKey } from '../../lib/domain/rings/legacy-key';
import { close, halt, updateRing } from '../../lib/domain/rings/life';
import { activeKey, type Ring } from '../../lib/domain/rings/ring';
import { taint } from '../../lib/domain/rings/taint';
import { markFoundEnabled, markLost, markPolicy, retire } from '../../lib/domain/rings/transitions';
import type { CaseMeta, TaintCase } from '../../lib/domain/store/case';
import type { Row, Write } from '../../lib/domain/store/table';
import type { World } from '../../lib/local/world';
import { departureWorld, execute, metaOf, metas, send } from '../scenarios/departure-world';
import { issueTo, ringOf } from '../scenarios/signing-world';
import { Page } from './page';

const page = new Page('docs/evidence-format.md');

/** By type, the members that the page names; `true` where the member may be absent. */
const described = new Map(
  page.tableAfter('### Types and bodies').flatMap(([types = '', , body = '']) => {
    const members = (body.match(/(?<=`)\w+\??(?=`)/g) ?? []).map(
      (name) => [name.replace('?', ''), name.endsWith('?')] as const,
    );
    return (types.match(/(?<=`)[\w.-]+(?=`)/g) ?? []).map(
      (type) => [nameOf(type, types.endsWith('of a key')), new Map(members)] as const,
    );
  }),
);

/** One type has two bodies. */
function nameOf(type: string, endsAKey: boolean): string {
  return endsAKey ? `${type} of a key` : type;
}

/** What waits in the outboxes of a deployment. */
function waiting(world: World): EvidenceRecord[] {
  return (['keys', 'cut-offs', 'cases'] as const).flatMap((table) =>
    world.tables
      .dump(table)
      .filter(({ sk }) => sk.startsWith('OUT#'))
      .map(({ record }) => record as unknown as EvidenceRecord),
  );
}

const written = (writes: readonly Write[]): EvidenceRecord[] =>
  writes.flatMap((write) =>
    write.kind === 'put' && write.row.record ? [write.row.record as unknown as EvidenceRecord] : [],
  );

function unreadable(row: Row, now: number): EvidenceRecord {
  return readOutbox(row, 'cases', now).record;
}

/** What a doubt brings about. */
function asked(meta: CaseMeta, now: number): EvidenceRecord[] {
  const question = { n: 1, reasons: ['moved:hr'], about: 'q'.repeat(43), askedAt: now, endedBy: 'sources' } as const;
  const approval = {
    decision: 'go-on',
    about: 'q',
    reason: 'r',
    identity: 'i',
    at: now,
    approver: 'p',
    sealed: 's',
  } as const;
  const item = { nn: '06', kind: 'unplannable', reason: 'r' } as const;
  const set = { n: 1, digest: 'd', members: [{ workerId: 'W-1', pseudonym: 'p' }], at: now };
  return [
    askedRecord(meta, question, now),
    heldRecord(meta, 1, now),
    endedRecord(meta, question, now, 'c-1'),
    acceptedRecord(meta, 1, [item], meta, now),
    ...written(approverSetWrites(set)),
    ...approvedOutgoing(meta, { question: 1 }, [approval], set, now).map(({ record }) => record),
  ];
}

/** What people, accidents and dates bring about, which a departure does not. */
function seldom(ring: Ring, now: number): EvidenceRecord[] {
  const active = activeKey(ring);
  const standby = ring.keys.find(({ state }) => state === 'STANDBY');
  const legacy = ring.keys.find(({ kind }) => kind === 'legacy');
  if (!active || !standby || !legacy) throw new Error('the ring is not whole');
  const sooner = { jwk: legacy.jwk, verifyUntil: legacy.verifyUntil - 1, approver: 'CHG-8' };
  const verifiers = [{ name: 'orders', cacheSeconds: 60 }];
  return [
    halt(ring, true, 'CHG-9', now),
    halt({ ...ring, halted: true }, false, 'CHG-9', now),
    close(ring, true, now),
    updateRing(ring, { ...ring.cfg, verifiers, periodExemptUntil: now, exemptions: [] }, now),
    shortenLegacyKey({ ...ring, keys: [{ ...legacy, state: 'OBSERVED' }] }, sooner, now),
    keepLegacyKeys(ring, now),
    markPolicy(ring, standby.kid, 'changed', now),
    markFoundEnabled(ring, standby.kid, now),
    markLost(ring, active.kid, 'PendingDeletion', now),
    retire(ring, standby.kid, now),
    taint(ring, [{ kid: standby.kid, class: 'planned', reason: 'CHG-9' }], undefined, undefined, now),
  ].flatMap(written);
}

const taintOf = (ring: Ring): TaintCase => ({
  kind: 'taint',
  caseId: 'c-taint',
  key: { ring: ring.id, kid: ring.activeKid ?? '', class: 'planned', reason: 'CHG-9' },
  state: 'DUE',
  version: 1,
  attempt: 0,
  fence: 1,
  dueAt: 1,
  openedAt: 1,
});

let records: readonly EvidenceRecord[];
beforeAll(async () => {
  const world = await departureWorld();
  const whole = await ringOf(world);
  await issueTo(world, 'member-1');
  await send(world);
  const [meta] = metas(world);
  if (!meta) throw new Error('no case was opened');
  await execute(world, meta.caseId, meta.attempt);
  const looked = await metaOf(world, meta.caseId);
  const item = { nn: '02', kind: 'latch', ref: 'p0' } as const;
  const seen = { exists: true, tagged: false, denied: true };
  const now = world.clock.now();
  const rechecks = { until: now, times: 15, at: now, longestGap: 3600 };
  const digest = {
    key: { pk: 'OUT#00', sk: '0' },
    kid: 'k',
    shard: 0,
    jtiH: 'A'.repeat(43),
    tokenSha256: 'A'.repeat(43),
  };
  records = [
    ...waiting(world),
    ...seldom(whole, world.clock.now()),
    ...asked(await metaOf(world, meta.caseId), world.clock.now()),
    recheckRecord(looked, 'found-open', item, 1, seen, now),
    recheckRecord(looked, 'shut-again', item, 1, seen, now),
    recheckedRecord(looked, rechecks, { foundOpen: 1, listings: 1, unseen: [] }, now),
    openedTaintRecord(taintOf(whole), world.clock.now()),
    unreadable({ pk: `CASE#${meta.caseId}`, sk: 'OUT#000001.0', v: 1 }, world.clock.now()),
    ...commit([digest], world.clock.now()).records,
  ];
});

test('every type of record is described, and no other', () => {
  const names = [...Object.keys(RECORD_TYPES), nameOf('case.opened', true)];
  expect([...described.keys()].sort()).toEqual(names.sort());
});

test('every record that is written has the body that is described', () => {
  expect([...new Set(records.map(({ type }) => type))].sort()).toEqual(Object.keys(RECORD_TYPES).sort());
  for (const record of records) {
    const { body } = JSON.parse(formatRecord(record)) as EvidenceRecord;
    const members =
      described.get(nameOf(record.type, body.kind === 'taint' && record.type === 'case.opened')) ?? new Map();
    const unknown = Object.keys(body).filter((name) => !members.has(name));
    const missing = [...members].filter(([name, optional]) => !optional && !(name in body)).map(([name]) => name);
    expect({ type: record.type, unknown, missing }).toEqual({ type: record.type, unknown: [], missing: [] });
  }
});
