import { insertedRows } from '../../lib/aws/dynamodb-stream';
import { RIGHTS } from '../../lib/domain/deployment/rights';
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

test('an attribute of a type our tables do not hold is refused', () => {
  const NewImage = { pk: { S: 'p' }, sk: { S: 's' }, set: { SS: ['a'] } };
  expect(() => insertedRows({ Records: [{ eventName: 'INSERT', dynamodb: { NewImage } }] })).toThrow(
    expect.objectContaining({
      code: 'ERR_INPUT_INVALID',
      message: 'an attribute has a type that no table uses',
      got: ['SS'],
    }),
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

test.each<[string, object, string]>([
  ['a record that is none', { record: { v: 1 } }, 'ERR_EVIDENCE_RECORD'],
  ['no record', { event }, 'ERR_ITEM_INVALID'],
  ['an event without an id', { record, event: { detailType: 'X', detail: {} } }, 'ERR_ITEM_INVALID'],
  ['an event that is text', { record, event: 'X' }, 'ERR_ITEM_INVALID'],
  ['a member that nobody knows', { record, note: 'x' }, 'ERR_ITEM_INVALID'],
  ['a key of no outbox', { pk: 'KID#k', record }, 'ERR_ITEM_INVALID'],
])('%s stops the batch before anything is appended', async (_what, attributes, code) => {
  const { world, appended } = worldWithAppender();
  const bad = { pk: 'RING#ring', sk: 'OUT#000002.0', v: 1, ...attributes } as unknown as Row;
  const good = { pk: 'RING#ring', sk: 'OUT#000001.0', v: 1, record } as unknown as Row;
  await expect(relay([good, bad], world.deps('outbox-signing'))).rejects.toThrow(expect.objectContaining({ code }));
  expect(appended).toEqual([]);
});

test('both outboxes have the same rights, so one entry serves both', () => {
  expect(RIGHTS['outbox-offboarding']).toEqual(RIGHTS['outbox-signing']);
});
