import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { EventBridgeEvents } from '../../lib/aws/eventbridge-events';
import { answering, notedPauses } from './answering';

test('an event has source curfew and a versioned detail', async () => {
  const { asked, config } = answering(() => ({ body: { FailedEntryCount: 0, Entries: [{ EventId: '1' }] } }));
  await new EventBridgeEvents('bus', new EventBridgeClient(config)).put('CaseOpened', {
    id: 'c-1',
    ring: 'customer-api',
  });
  const Detail = '{"v":1,"id":"c-1","ring":"customer-api"}';
  expect(asked[0]?.input.Entries).toEqual([
    { EventBusName: 'bus', Source: 'curfew', DetailType: 'CaseOpened', Detail },
  ]);
});

function eventsThat(...codes: string[]) {
  const { asked, config } = answering((_, n) => {
    const ErrorCode = codes[n - 1];
    return { body: { FailedEntryCount: ErrorCode ? 1 : 0, Entries: [ErrorCode ? { ErrorCode } : { EventId: '1' }] } };
  });
  const { pauses, pause } = notedPauses();
  return { asked, pauses, events: new EventBridgeEvents('bus', new EventBridgeClient(config), pause) };
}

test.each(['ThrottlingException', 'InternalFailure'])(
  'events.throttled: an entry refused by %s, although PutEvents answered 200, is put again as it is',
  async (code) => {
    const { asked, pauses, events } = eventsThat(code, code);
    await events.put('CaseOpened', { id: 'c-1' });
    expect(asked).toHaveLength(3);
    expect(asked[2]?.input).toEqual(asked[0]?.input);
    expect(pauses).toHaveLength(2);
  },
);

test('events.throttled: one that stays refused is an error: the outbox delivers it again', async () => {
  const { asked, events } = eventsThat(...Array<string>(9).fill('ThrottlingException'));
  await expect(events.put('CaseOpened', { id: 'c-1' })).rejects.toMatchObject({
    code: 'ERR_UNAVAILABLE',
    message: 'EventBridge did not accept the event',
    got: 'ThrottlingException',
  });
  expect(asked).toHaveLength(4);
});

test('an entry that is refused for what it is, is refused at once', async () => {
  const { asked, events } = eventsThat('MalformedDetail');
  await expect(events.put('CaseOpened', { id: 'c-1' })).rejects.toMatchObject({ got: 'MalformedDetail' });
  expect(asked).toHaveLength(1);
});
