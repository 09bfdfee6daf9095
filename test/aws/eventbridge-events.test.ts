import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { EventBridgeEvents } from '../../lib/aws/eventbridge-events';
import { answering } from './answering';

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

test('an entry that the bus refused is an error, although PutEvents answered 200', async () => {
  const { config } = answering(() => ({ body: { FailedEntryCount: 1, Entries: [{ ErrorCode: 'InternalFailure' }] } }));
  const events = new EventBridgeEvents('bus', new EventBridgeClient(config));
  await expect(events.put('CaseOpened', { id: 'c-1' })).rejects.toMatchObject({
    code: 'ERR_UNAVAILABLE',
    message: 'EventBridge did not accept the event',
    got: 'InternalFailure',
  });
});
