/** An emergency as a responder handles it: `curfew ring taint` of the key that issues, while its holders trade their tokens. */
import { EventEmitter, once } from 'node:events';
import { taintKey } from '../../../bin/commands/ring-taint';
import type { Instance } from '../../../bin/edge/instance';
import { invokePatiently } from '../../../demo/patience';
import { shortKid } from '../../../lib/domain/jose/jwk';
import type { TaintClass } from '../../../lib/domain/rings/ring';
import type { Load } from './load';
import type { TestRing } from './test-ring';

export interface Emergency {
  readonly kid: string;
  /** Epoch milliseconds: the command was given. */
  readonly at: number;
  /** The key is SUSPECT, and its wave has not begun. */
  readonly suspect: Promise<unknown>;
  /** The key is DENIED: what follows is its proof. */
  readonly denied: Promise<unknown>;
  /** How many holders traded, as soon as there was something to get. */
  readonly traded: Promise<number>;
  /** The command has ended. */
  readonly done: Promise<void>;
}

export async function taintActive(
  asResponder: Instance,
  ring: TestRing,
  taintClass: TaintClass,
  load?: Load,
): Promise<Emergency> {
  const { activeKid: kid = '' } = await ring.load();
  const at = Date.now();
  const progress = new EventEmitter();
  const [suspect, denied] = [once(progress, 'SUSPECT'), once(progress, 'DENIED')];
  const request = { kid, class: taintClass, reason: 'rotation test' };
  const told = (line: string) => {
    if (line.includes(`${shortKid(kid)} is SUSPECT,`)) progress.emit('SUSPECT');
    if (line.includes(`${shortKid(kid)} is DENIED,`)) progress.emit('DENIED');
  };
  // On a busy machine a Lambda may not answer in time. Every step may be asked again, and a responder does.
  const command = invokePatiently('ring taint', () => taintKey(asResponder, request, told));
  // Holders are told (`TokensResigned`), or ask when they are refused; here they come when there is something to get.
  const traded = Promise.race([suspect, command]).then(() => load?.trade(kid) ?? 0);
  return {
    kid,
    at,
    suspect: Promise.race([suspect, command]),
    denied: Promise.race([denied, command]),
    traded,
    done: command.then(() => undefined),
  };
}
