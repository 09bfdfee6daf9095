/** Events on EventBridge, source `curfew`, detail `{v: 1, id, …}`: references only, so that any rule may read them. */
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { CurfewError } from '../domain/base/errors';
import type { Events } from '../ports';
import { clientSettings } from './client-settings';
import { calling } from './errors';
import { jitter, type Pause, pause } from './pause';

export { EventBridgeClient };

const PASSING: readonly string[] = ['ThrottlingException', 'InternalFailure'];
const TRIES = 4;
const PAUSE_MILLISECONDS = { base: 50, longest: 800 };

export class EventBridgeEvents implements Events {
  constructor(
    private readonly eventBusName: string,
    private readonly eventBridge = new EventBridgeClient(clientSettings()),
    private readonly wait: Pause = pause,
  ) {}

  async put(detailType: string, detail: Parameters<Events['put']>[1]): Promise<void> {
    const entry = {
      EventBusName: this.eventBusName,
      Source: 'curfew',
      DetailType: detailType,
      Detail: JSON.stringify({ v: 1, ...detail }),
    };
    const request = new PutEventsCommand({ Entries: [entry] });
    // PutEvents answers 200 for a refused entry too, and the SDK does not try that again. What stays refused, the outbox
    // delivers once more.
    for (let tried = 1; ; tried++) {
      const { FailedEntryCount, Entries } = await calling('put an event', () => this.eventBridge.send(request));
      if (!FailedEntryCount) return;
      const got = Entries?.[0]?.ErrorCode;
      if (tried === TRIES || !PASSING.includes(got ?? ''))
        throw new CurfewError('ERR_UNAVAILABLE', 'EventBridge did not accept the event', { got });
      await this.wait(jitter(tried, PAUSE_MILLISECONDS.base, PAUSE_MILLISECONDS.longest));
    }
  }
}
