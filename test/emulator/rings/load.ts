/**
 * Steady load on one ring: tokens are issued at a fixed rate over the HTTP API, and every verifier is shown each of them
 * at once and again and again until it expires. Nobody tells anybody that a rotation is coming.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { codeOf } from '../../../demo/checks';
import { once } from '../../../demo/patience';
import { inParallel } from '../../../demo/tokens';
import { parseCompact } from '../../../lib/domain/jose/compact';
import type { Ring } from '../../../lib/domain/rings/ring';
import { extent } from '../../support/extent';
import { until } from './stage';
import { CACHE_SECONDS, type TestRing } from './test-ring';
import { Verdicts } from './verdicts';
import { ourVerifier, StockVerifier, type Verifier } from './verifiers';

export const PER_SECOND = extent(2, 3);
/** A service that is slow is asked less often: load that does not give way would measure the machine it runs on. */
const UNDER_WAY_MAX = 3;
const SWEEP_PAUSE_MS = extent(2000, 1000);
/** Of all that are held; a verifier that keeps nothing asks the network for each. */
const SHOWN_MAX = extent(20, 10_000);
/** How often a back end asks for one token. */
const TRIES_MAX = 8;
/** Of the tokens that were traded for others: so many of each key are shown on, to see them refused. */
const OLD_SHOWN = 5;
/** A token is not shown in its last seconds: who refuses it then may say that it has expired. */
const LAST_SECONDS = 2;
/** Shown at once: our verifier asks the ledger over HTTP for each token of a SUSPECT kid. */
const AT_ONCE = { ours: 4, stock: 32 } as const;
/** From the taint on: the drain, the poll and the first pass come before there is anything to get. */
const TRADED_WITHIN_SECONDS = 120;

interface Held {
  readonly token: string;
  readonly kid: string;
  /** Epoch seconds. */
  readonly exp: number;
}

/** Where a phase of the test begins, in what was counted so far. */
export interface Mark {
  readonly issued: number;
  readonly verifications: number;
  readonly refused: number;
}

export class Load {
  readonly issued: { readonly kid: string; readonly at: number }[] = [];
  /** Why a token was not issued when it was asked for. */
  readonly notIssued: string[] = [];
  /** Who asked again, and went away without one. */
  readonly givenUp: string[] = [];
  readonly verifiers: readonly Verifier[];
  readonly verdicts = new Verdicts();
  private readonly stock: readonly StockVerifier[];
  /** What each holder would present now, and what they presented before they traded. */
  private held: Held[] = [];
  private readonly traded: Held[] = [];
  private running: Promise<unknown> | undefined;
  private stopped = false;

  constructor(private readonly ring: TestRing) {
    this.stock = [0, 1, 2, CACHE_SECONDS].map((seconds) => new StockVerifier(ring.verifierOptions, seconds));
    this.verifiers = [ourVerifier(ring.verifierOptions), ...this.stock];
  }

  /** Issues first when the JWKS was watched for the declared cache age: of each kid it is then known since when. */
  async start(): Promise<void> {
    await Promise.all(this.stock.map((verifier) => verifier.fetchKeys()));
    await pause(CACHE_SECONDS * 1000);
    this.running = Promise.all([this.issue(), ...this.verifiers.map((verifier) => this.sweep(verifier))]);
    await until(
      'the first tokens are out',
      10,
      async () => this.issued.length,
      (n) => n > PER_SECOND,
    );
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.running;
  }

  mark(): Mark {
    const { issued, verdicts } = this;
    return { issued: issued.length, verifications: verdicts.count, refused: verdicts.refused };
  }

  since(mark: Mark, ring: Ring) {
    const issued = this.issued.slice(mark.issued);
    return {
      issued: issued.length,
      verifications: this.verdicts.count - mark.verifications,
      refusedGood: this.verdicts.refusedGood(ring, mark.refused),
      /** Under a kid that was not in the JWKS as served for the declared cache age. */
      unpublished: issued.filter(({ kid, at }) => !this.wasPublished(kid, at - CACHE_SECONDS * 1000)),
    };
  }

  /** Every holder of a token under this kid trades it, and presents the new one from then on. Answers how many did. */
  async trade(kid: string): Promise<number> {
    const before = this.traded.length;
    const deadline = Date.now() + TRADED_WITHIN_SECONDS * 1000;
    for (;;) {
      const holders = this.live(this.held).filter((one) => one.kid === kid);
      if (holders.length === 0 || Date.now() > deadline) return this.traded.length - before;
      await inParallel(holders, (held) => this.tradeOne(held), 4);
    }
  }

  /** What verifiers say of tokens that they refuse, here and now, in the hands of whoever holds one: nothing where all is well. */
  async leftWithout(): Promise<readonly string[]> {
    const shown = await inParallel(this.live(this.held), async (held) => {
      const codes = (await this.showAll(held)).filter((code) => code !== 'ok');
      // On a busy machine it may have run out while it was shown.
      return this.live([held]).length === 0 ? [] : codes.map((code) => `${code} of ${held.kid}`);
    });
    return shown.flat();
  }

  private async issue(): Promise<void> {
    const underWay = new Set<Promise<void>>();
    for (let n = 0; !this.stopped; n++) {
      const one: Promise<void> = this.issueOne(`holder-${n}`).finally(() => underWay.delete(one));
      underWay.add(one);
      await pause(1000 / PER_SECOND);
      if (underWay.size >= UNDER_WAY_MAX) await Promise.race(underWay);
    }
    await Promise.all(underWay);
  }

  private async issueOne(sub: string): Promise<void> {
    const token = await this.askFor(sub);
    if (token === undefined) return;
    const held = heldOf(token);
    this.issued.push({ kid: held.kid, at: Date.now() });
    this.held.push(held);
    await this.showAll(held);
  }

  /** Caught between two keys, or by a machine that is too busy: the answer says to ask again, and its caller does. */
  private async askFor(sub: string): Promise<string | undefined> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.ring.issue(sub, once);
      } catch (error) {
        const code = codeOf(error);
        this.notIssued.push(code);
        if (code !== 'ERR_KEY_STATE' && code !== 'ERR_UNAVAILABLE') return undefined;
        if (tries === TRIES_MAX) {
          this.givenUp.push(`${sub} ${code}`);
          return undefined;
        }
        if (code === 'ERR_UNAVAILABLE') await pause(tries * 1000);
      }
    }
  }

  private async tradeOne(old: Held): Promise<void> {
    try {
      const held = heldOf(await this.ring.exchange(old.token));
      this.held = [...this.held.filter((one) => one !== old), held];
      this.traded.push(old);
      await this.showAll(held);
    } catch (error) {
      // Not re-signed yet: the holder comes again.
      if (codeOf(error) !== 'invalid_request') throw error;
    }
  }

  private async sweep(verifier: Verifier): Promise<void> {
    while (!this.stopped) {
      const shown = [...spread(this.live(this.held)), ...this.live(this.oldOnes())];
      await inParallel(shown, (held) => this.verdicts.ask(verifier, held), AT_ONCE[verifier.kind]);
      await pause(SWEEP_PAUSE_MS);
    }
  }

  private oldOnes(): Held[] {
    const kids = new Set(this.traded.map(({ kid }) => kid));
    return [...kids].flatMap((kid) => this.traded.filter((one) => one.kid === kid).slice(-OLD_SHOWN));
  }

  private showAll(held: Held): Promise<string[]> {
    return Promise.all(this.verifiers.map((verifier) => this.verdicts.ask(verifier, held)));
  }

  private live(all: readonly Held[]): Held[] {
    return all.filter(({ exp }) => Date.now() < 1000 * (exp - LAST_SECONDS));
  }

  private wasPublished(kid: string, at: number): boolean {
    return this.stock.some(({ firstSeen }) => (firstSeen.get(kid) ?? Number.POSITIVE_INFINITY) <= at);
  }
}

/** So many of them, from the oldest to the newest. */
function spread<T>(all: readonly T[]): T[] {
  const step = Math.max(1, all.length / SHOWN_MAX);
  return Array.from({ length: Math.min(all.length, SHOWN_MAX) }, (_, n) => all[Math.floor(n * step)] as T);
}

function heldOf(token: string): Held {
  const { header, payload } = parseCompact(token);
  return { token, kid: header.kid, exp: (JSON.parse(payload.toString()) as { exp: number }).exp };
}
