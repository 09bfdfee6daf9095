/** Events on EventBridge, source `curfew`, detail `{v: 1, id, …}`: references only, so that any rule may read them. */
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { CurfewError } from '../domain/base/errors';
import type { Events } from '../ports';
import { clientSettings } from './client-settings';
import { calling } from './errors';

export { EventBridgeClient };

export class EventBridgeEvents implements Events {
  constructor(
    private readonly eventBusName: string,
    private readonly eventBridge = new EventBridgeClient(clientSettings()),
  ) {}

  async put(detailType: string, detail: Parameters<Events['put']>[1]): Promise<void> {
    const entry = {
      EventBusName: this.eventBusName,
      Source: 'curfew',
      DetailType: detailType,
      Detail: JSON.stringify({ v: 1, ...detail }),
    };
    const request = new PutEventsCommand({ Entries: [entry] });
    const { FailedEntryCount, Entries } = await calling('put an event', () => this.eventBridge.send(request));
    // PutEvents answers 200 for a refused entry too.
    if (FailedEntryCount)
      throw new CurfewError('ERR_UNAVAILABLE', 'EventBridge did not accept the event', {
        got: Entries?.[0]?.ErrorCode,
      });
  }
}
