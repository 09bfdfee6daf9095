import { readFileSync } from 'node:fs';
import { insertedRows } from '../../lib/aws/dynamodb-stream';
import { logFailure } from '../../lib/aws/entry';
import { canonicalJson, H } from '../../lib/domain/base/encoding';
import { RIGHTS } from '../../lib/domain/deployment/rights';
import { type EvidenceRecord, formatRecord, parseRecord } from '../../lib/domain/evidence/record';
import type { Row } from '../../lib/domain/store/table';
import { World } from '../../lib/local/world';
import { relay } from '../../lib/work/evidence/relay';

const record = {
  v: 1,
  id: 'ring/000001.0',
  type: 'key.activated',
  at: 1_800_000_000,
  ring: 'ring',
  body: { kid: 'k', deep: [1, null, true, { a: 'b' }] },
};
const event = { detailType: 'KeyStateChanged', detail: { id: record.id, ring: 'ring' } };
const image = {
  pk: { S: 'RING#ring' },
  sk: { S: 'OUT#000001.0' },
  v: { N: '1' },
  record: {
    M: {
      v: { N: '1' },
      id: { S: record.id },
      type: { S: record.type },
      at: { N: '1800000000' },
      ring: { S: 'ring' },
      body: {
        M: { kid: { S: 'k' }, deep: { L: [{ N: '1' }, { NULL: true }, { BOOL: true }, { M: { a: { S: 'b' } } }] } },
      },
    },
  },
  event: { M: { detailType: { S: event.detailType }, detail: { M: { id: { S: record.id }, ring: { S: 'ring' } } } } },
};

function worldWithAppender() {
  const world = new World();
  const appended: unknown[] = [];
  world.functions.register('appender', async ({ records }) => {
    appended.push(...records);
    return { appended: records.length };
  });
  return { world, appended };
}

test('a stream batch gives its inserts, in order, and nothing else', () => {
  const Records = [
    { eventName: 'MODIFY', dynamodb: { NewImage: image } },
    { eventName: 'INSERT', dynamodb: { NewImage: image } },
    { eventName: 'REMOVE', dynamodb: {} },
  ];
  expect(insertedRows({ Records })).toEqual([{ pk: 'RING#ring', sk: 'OUT#000001.0', v: 1, record, event }]);
});

test.each([undefined, null, {}, { Records: {} }, []])('%p is no stream batch', (batch) => {
  expect(() => insertedRows(batch)).toThrow(
    expect.objectContaining({ code: 'ERR_INPUT_INVALID', message: 'the event is not a batch of a DynamoDB stream' }),
  );
});

test('record and event of an outbox item arrive; other items are passed over', async () => {
  const { world, appended } = worldWithAppender();
  const items = [
    ...insertedRows({ Records: [{ eventName: 'INSERT', dynamodb: { NewImage: image } }] }),
    { pk: 'RING#ring', sk: 'KEY#k', v: 1, record } as unknown as Row,
  ];
  await relay(items, world.deps('outbox-signing'));
  expect(appended).toEqual([record]);
  expect(world.events.said).toEqual([{ detailType: 'KeyStateChanged', detail: expect.objectContaining(event.detail) }]);
});

test('no event is put before its record is in the log', async () => {
  const world = new World();
  const items = insertedRows({ Records: [{ eventName: 'INSERT', dynamodb: { NewImage: image } }] });
  await expect(relay(items, world.deps('outbox-offboarding'))).rejects.toThrow(
    expect.objectContaining({ code: 'ERR_UNAVAILABLE' }),
  );
  expect(world.events.said).toEqual([]);
});

test.each<[string, object, string, string]>([
  ['a record that is none', { record: { v: 1 } }, 'ERR_EVIDENCE_RECORD', 'a record has an id like'],
  ['a number that is not whole', { record: { ...record, body: { n: 0.5 } } }, 'ERR_INPUT_INVALID', 'safe integer'],
  ['no record', { event }, 'ERR_ITEM_INVALID', 'record is missing'],
  ['an event without an id', { record, event: { detailType: 'X', detail: {} } }, 'ERR_ITEM_INVALID', 'detail.id'],
  ['an event that is text', { record, event: 'X' }, 'ERR_ITEM_INVALID', 'event is not'],
  ['a member that nobody knows', { record, 'mallory@shop.example': 'x' }, 'ERR_ITEM_INVALID', '* is not a member'],
  ['a key of no outbox', { pk: 'KID#mallory', record }, 'ERR_ITEM_INVALID', 'the key of no outbox entity'],
  ['a record with a member more', { record: { ...record, mallory: 1 } }, 'ERR_EVIDENCE_RECORD', 'beside those'],
])('%s is named in a record of its own, and keeps back nothing else', async (_what, attributes, code, what) => {
  const { world, appended } = worldWithAppender();
  const bad = { pk: 'RING#ring', sk: 'OUT#000002.0', v: 1, ...attributes } as unknown as Row;
  const good = { pk: 'RING#ring', sk: 'OUT#000001.0', v: 1, record } as unknown as Row;
  const errors = await relay([bad, good], world.deps('outbox-signing'), 'keys or cut-offs');

  expect(appended).toHaveLength(2);
  expect(appended).toContainEqual(record);
  const key = H(canonicalJson([bad.pk, bad.sk]));
  const named = appended.find((one) => (one as EvidenceRecord).type === 'record.unreadable') as EvidenceRecord;
  expect(named).toMatchObject({ id: `unreadable/${key}`, at: world.clock.now(), body: { key, code } });
  expect(named.ring).toBe(bad.pk === 'RING#ring' ? 'ring' : undefined);
  expect(named.body.table).toBe(bad.pk === 'RING#ring' ? 'keys' : 'keys or cut-offs');
  expect(named.body.what).toContain(what);
  expect(JSON.stringify(named)).not.toContain('mallory');
  expect(parseRecord(Buffer.from(formatRecord(named)))).toEqual(named);
  expect(errors).toMatchObject([{ code: 'ERR_RECORD_UNREADABLE', got: named.id }]);

  // Delivered again, a minute later: the same name, so that the log takes it once.
  world.clock.advance(60);
  await relay([bad], world.deps('outbox-signing'), 'keys or cut-offs');
  expect((appended.at(-1) as EvidenceRecord).id).toBe(named.id);
});

test('a row with an attribute of a type that no table uses is unreadable, and the rest of its batch is read', async () => {
  const { world, appended } = worldWithAppender();
  const foreign = { ...image, sk: { S: 'OUT#000002.0' }, note: { SS: ['mallory'] } };
  const Records = [foreign, image].map((NewImage) => ({ eventName: 'INSERT', dynamodb: { NewImage } }));
  await relay(insertedRows({ Records }), world.deps('outbox-signing'));
  expect(appended.map((one) => (one as EvidenceRecord).type)).toEqual(['record.unreadable', 'key.activated']);
  expect(JSON.stringify(appended)).not.toContain('mallory');
});

test('both outboxes log what they could not read, in words that the alarm looks for', async () => {
  const logged: string[] = [];
  const spy = jest.spyOn(console, 'error').mockImplementation((line) => logged.push(String(line)));
  const names = ['signing', 'offboarding'];
  for (const name of names)
    expect(readFileSync(`lambdas/outbox-${name}.ts`, 'utf8')).toContain(`logFailure('outbox-${name}', error)`);
  const { world } = worldWithAppender();
  const [error] = await relay([{ pk: 'RING#ring', sk: 'OUT#1', v: 1 }], world.deps('outbox-signing'));
  logFailure('outbox-signing', error);
  spy.mockRestore();
  expect(logged).toEqual([expect.stringContaining('ERR_RECORD_UNREADABLE')]);
});

test('both outboxes have the same rights, so one entry serves both', () => {
  expect(RIGHTS['outbox-offboarding']).toEqual(RIGHTS['outbox-signing']);
});
