/**
 * `curfew ring taint --direct`: ends a key as a case would, in the order of `domain/rings/ending.ts`, for the hour in which
 * Step Functions does not answer. The Lambdas change the ring; this asks them. It is safe beside a case about the same key,
 * and safe to ask again where a call before was cut short, because every step is.
 */
import { CurfewError, isCurfewError } from '../../lib/domain/base/errors';
import { span } from '../../lib/domain/base/time';
import { ENDING, type EndingStepName } from '../../lib/domain/rings/ending';
import { findKey, type KeyRecord, type Ring } from '../../lib/domain/rings/ring';
import type { EndedKey } from '../../lib/domain/store/case';
import type { WaveBatch } from '../../lib/domain/tokens/wave';
import { commitTokens, denyKeys, disableOldKeys, prepareSuccessor, taintKeys } from '../../lib/work/rings/ending';
import { loadRing } from '../../lib/work/rings/load-ring';
import { inTurn } from '../../lib/work/transactions';
import type { Answer, CommandPorts, Progress } from './command';
import { isStopped, kmsWordOn } from './ring-change';

type TaintPorts = CommandPorts<'ring taint'>;

export async function endDirectly(
  ring: Ring,
  key: KeyRecord,
  request: EndedKey,
  deps: TaintPorts,
  progress: Progress,
): Promise<Answer> {
  const end = new KeyEnd(ring, key, request, deps, progress);
  for (const { name } of ENDING) await end.take(name);
  return end.answer();
}

/** One run through the steps that end a key; what one step found, a later one uses. */
class KeyEnd {
  private successor: string | undefined;
  private batches: readonly WaveBatch[] = [];
  private resigned = 0;
  private kms = 'not looked at';

  constructor(
    private readonly ring: Ring,
    private readonly key: KeyRecord,
    private readonly request: EndedKey,
    private readonly deps: TaintPorts,
    private readonly progress: Progress,
  ) {}

  async take(step: EndingStepName): Promise<void> {
    await this.steps[step]();
  }

  private readonly steps: Readonly<Record<EndingStepName, () => Promise<void>>> = {
    prepare: async () => {
      // Only an ACTIVE key needs one; a faster rotation may have replaced it by the time we taint.
      if (this.key.kid !== this.ring.activeKid) return;
      this.successor = await prepareOrHint(this.ring.id, this.deps);
      this.progress(`prepared ${this.successor}`);
    },
    taint: async () => {
      const { kid, class: taintClass, reason } = this.request;
      const { ring, successor } = this;
      const targets = [{ kid, class: taintClass, reason }];
      this.batches = (await taintKeys({ ring: ring.id, targets, successor }, this.deps)).batches;
      this.progress(`${kid} is SUSPECT (${taintClass}): only tokens that the ledger holds count`);
    },
    'disable-compromised': async () => {
      if (this.request.class !== 'compromise') return;
      await this.disable();
      this.progress(`KMS says ${this.kms} of it`);
    },
    drain: () => this.wait(this.ring.cfg.drainSeconds, 'signatures that are under way'),
    'disable-old': () => this.disable(),
    commit: () => commitTokens(this.deps),
    poll: () => this.wait(this.ring.cfg.feedPollSeconds, 'verifiers to read the feed'),
    resign: () => this.resign(1),
    'resign-again': () => this.resign(2),
    deny: async () => {
      for (;;) {
        this.batches = (await denyKeys(this.ring.id, [this.key.kid], this.deps)).batches;
        if (this.batches.length === 0) return;
        await this.resign(2);
      }
    },
    'commit-again': () => commitTokens(this.deps),
  };

  async answer(): Promise<Answer> {
    const { ring, kms, resigned, progress } = this;
    const { kid } = this.key;
    const { state } = findKey(await loadRing(this.deps, ring.id), kid);
    progress(
      state === 'DENIED'
        ? 'no token of it is good any more'
        : 'holders may collect until collectGraceSeconds is over; if no case is open, run the command again then',
    );
    const isEnded = state === 'DENIED' && isStopped(kms);
    return {
      json: { ring: ring.id, kid, state, kms, resigned },
      text: `${kid} ${state}, ${resigned} tokens re-signed`,
      exitCode: isEnded ? 0 : 1,
    };
  }

  private async disable(): Promise<void> {
    const { id } = this.ring;
    const disabled = await inTurn(`ring ${id}`, () => disableOldKeys(id, this.successor, this.deps));
    this.kms = kmsWordOn(this.key, disabled);
  }

  private async wait(seconds: number, what: string): Promise<void> {
    this.progress(`waiting ${span(seconds)} for ${what}`);
    await this.deps.clock.sleep(seconds);
  }

  private async resign(pass: number): Promise<void> {
    const sum = { found: 0, resigned: 0 };
    await Promise.all(
      this.batches.map(async (batch) => {
        try {
          const { found, resigned } = await this.deps.functions.invoke('resigner', { ...batch, pass });
          sum.found += found;
          sum.resigned += resigned;
        } catch (error) {
          // Another emergency replaced the key that the wave re-signs under: the wave has moved on with it, the shards
          // of this batch count as not done, and the next pass does them.
          if (!isCurfewError(error, 'ERR_KEY_STATE')) throw error;
          this.progress(`pass ${pass}: ${error.message}`);
        }
      }),
    );
    this.resigned += sum.resigned;
    this.progress(`pass ${pass}: ${sum.found} found, ${sum.resigned} tokens re-signed`);
  }
}

async function prepareOrHint(ring: string, deps: TaintPorts): Promise<string> {
  try {
    return await inTurn(`ring ${ring}`, () => prepareSuccessor(ring, deps));
  } catch (error) {
    if (!isCurfewError(error, 'ERR_NO_SUCCESSOR')) throw error;
    throw new CurfewError(error.code, error.message, {
      fix: `stop it with \`curfew ring halt ${ring}\` until one is ready; ${error.fix}`,
      cause: error,
    });
  }
}
