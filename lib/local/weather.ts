/**
 * AWS on a bad day: what `weather-rows.ts` lists, drawn from a seed, on the calls of a World and inside its twins.
 *
 *     const world = new World({ weather: new Weather('seed 7', STORM) });    // or weather.turn(STORM) later
 *     …
 *     world.weather.calm();              // what was on its way lands; from here on AWS behaves
 *     world.weather.struck               // how often each row struck
 *
 * A refusal here is what a caller sees after the SDK and the adapter have tried for as long as they try.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { sha256 } from '../domain/base/encoding';
import { CurfewError, isCurfewError } from '../domain/base/errors';
import type { Clock } from '../ports';
import { Crash } from './faults';
import type { Layer } from './interposer';
import { WEATHER_ROWS, type WeatherRowId } from './weather-rows';

/** How likely each row strikes, per chance that it has; 0 unless given. */
type Rates = { readonly [R in WeatherRowId]?: number };

/** What every handler takes in its stride: nobody but its caller would notice. */
export const MILD: Rates = {
  'kms.lockout': 1,
  'kms.stale': 0.2,
  'tags.stale': 0.2,
  'dynamodb.item-by-item': 0.1,
  's3.conflict': 0.02,
  'clock.step': 0.1,
};

/** Everything that the twins can do, much more often than AWS does it. */
export const STORM: Rates = {
  'kms.lockout': 1,
  'kms.principal-unseen': 0.2,
  'kms.stale': 0.4,
  'kms.throttled': 0.03,
  'kms.internal': 0.01,
  'kms.lost-answer': 0.1,
  'tags.stale': 0.5,
  'dynamodb.conflict': 0.01,
  'dynamodb.throttled': 0.002,
  'dynamodb.lost-answer': 0.01,
  'dynamodb.late': 0.01,
  'dynamodb.item-by-item': 0.2,
  'stream.twice': 0.1,
  'stream.reordered': 0.3,
  'stream.apart': 0.3,
  'lambda.throttled': 0.01,
  'lambda.lost-answer': 0.01,
  'lambda.killed': 0.01,
  'lambda.twice': 0.05,
  'iam.stale': 0.3,
  'iam.throttled': 0.05,
  's3.conflict': 0.03,
  's3.slow-down': 0.01,
  'http.not-yet': 0.05,
  'events.throttled': 0.03,
  'scheduler.late': 0.3,
  'scheduler.twice': 0.05,
  'workflow.killed': 0.02,
  'clock.step': 0.3,
};

/** One run of a Lambda: its host's clock, and when it is stopped. */
interface Invocation {
  readonly of: Weather;
  skew: number;
  /** Effects it still gets to do before it is stopped; undefined: it is not. */
  effectsLeft?: number;
  /** Whoever runs a test, and looks at how things are. */
  readonly isObserver?: true;
}

/** In seconds: what "eventually" came to, in most reports. */
const STALE_SECONDS_MAX = 8;
const LATE_SECONDS_MAX = 10;
const STEP_SECONDS_MAX = 3;

type Kind = 'refused' | 'lost' | 'late' | 'condition';

/** What a call may meet, in the order in which it is drawn. */
const ON_CALLS: Readonly<Record<string, Partial<Record<WeatherRowId, Kind>>>> = {
  'tables.get': { 'dynamodb.throttled': 'refused' },
  'tables.query': { 'dynamodb.throttled': 'refused' },
  'tables.transact': { 'dynamodb.conflict': 'refused', 'dynamodb.lost-answer': 'lost', 'dynamodb.late': 'late' },
  'ringKeys.create': { 'kms.throttled': 'refused', 'kms.internal': 'refused', 'kms.lost-answer': 'lost' },
  'ringKeys.enable': { 'kms.throttled': 'refused', 'kms.internal': 'refused' },
  'ringKeys.disable': { 'kms.throttled': 'refused', 'kms.internal': 'refused' },
  'ringKeys.describe': { 'kms.internal': 'refused' },
  'ringKeys.publicKey': { 'kms.internal': 'refused' },
  'ringKeys.policy': { 'kms.internal': 'refused' },
  'ringKeys.grants': { 'kms.internal': 'refused' },
  'keyDisabler.disable': { 'kms.throttled': 'refused', 'kms.internal': 'refused' },
  'keyDisabler.describe': { 'kms.internal': 'refused' },
  'signer.sign': { 'kms.internal': 'refused' },
  'signer.publicKey': { 'kms.internal': 'refused' },
  'objects.get': { 's3.slow-down': 'refused' },
  'objects.list': { 's3.slow-down': 'refused' },
  'objects.put': { 's3.slow-down': 'refused', 's3.conflict': 'condition' },
  'functions.invoke': { 'lambda.throttled': 'refused', 'lambda.lost-answer': 'lost' },
  'iam.user': { 'iam.throttled': 'refused' },
  'iam.accessKeys': { 'iam.throttled': 'refused' },
  'iam.hasLoginProfile': { 'iam.throttled': 'refused' },
  'latch.attachDenyPolicy': { 'iam.throttled': 'refused' },
  'latch.tagLeaver': { 'iam.throttled': 'refused' },
  'iamDisabler.deactivateAccessKey': { 'iam.throttled': 'refused' },
  'iamDisabler.deleteLoginProfile': { 'iam.throttled': 'refused' },
  'latchRelease.untagLeaver': { 'iam.throttled': 'refused' },
  'latchRelease.detachDenyPolicy': { 'iam.throttled': 'refused' },
  'iamEnabler.activateAccessKey': { 'iam.throttled': 'refused' },
  'keyEnabler.enable': { 'kms.throttled': 'refused', 'kms.internal': 'refused' },
  'keyEnabler.policy': { 'kms.throttled': 'refused', 'kms.internal': 'refused' },
  'events.put': { 'events.throttled': 'refused' },
  'http.get': { 'http.not-yet': 'refused' },
};

/**
 * One for all weathers: whichever was ever used stays on the list that Node goes through for every promise of the process,
 * and a run of the tests makes thousands of worlds.
 */
const INVOCATIONS = new AsyncLocalStorage<Invocation>();

export class Weather {
  readonly struck: { [R in WeatherRowId]?: number } = {};
  private rates: Rates;
  private state: number;
  private readonly late: { readonly at: number; readonly land: () => Promise<unknown> }[] = [];
  private clock: Clock = { now: () => 0, sleep: async () => {} };

  constructor(seed: string, rates: Rates) {
    this.state = sha256(`weather ${seed}`).readUInt32BE();
    this.rates = rates;
  }

  /** Whose time it goes by. */
  follow(clock: Clock): void {
    this.clock = clock;
  }

  /** From here on it is like this. */
  turn(rates: Rates): void {
    this.rates = rates;
  }

  /** From here on AWS behaves. What had not landed lands now. */
  async calm(): Promise<void> {
    this.rates = { 'kms.lockout': this.rates['kms.lockout'] };
    for (const { land } of this.late.splice(0)) await land();
  }

  /** Anything may happen but what always does. */
  get isRough(): boolean {
    return Object.keys(this.rates).some((row) => row !== 'kms.lockout');
  }

  strikes(row: WeatherRowId): boolean {
    const rate = this.rates[row] ?? 0;
    if (rate === 0 || this.current()?.isObserver || this.draw() >= rate) return false;
    this.struck[row] = (this.struck[row] ?? 0) + 1;
    return true;
  }

  /** A whole number below `limit`. */
  below(limit: number): number {
    return Math.floor(this.draw() * limit);
  }

  /** How many seconds behind the host is that answers a question about something eventually consistent. */
  lag(row: 'kms.stale' | 'iam.stale'): number {
    return this.strikes(row) ? 1 + this.below(STALE_SECONDS_MAX) : 0;
  }

  /** How many seconds the clock of this host is off; it may have stepped since it was last asked. */
  skew(): number {
    const invocation = this.current();
    if (invocation === undefined) return 0;
    if (this.strikes('clock.step')) invocation.skew = this.below(2 * STEP_SECONDS_MAX + 1) - STEP_SECONDS_MAX;
    return invocation.skew;
  }

  /** What a test looks at is as it is: no host is behind, nothing is refused, and nothing is drawn. */
  observe<T>(look: () => Promise<T>): Promise<T> {
    return INVOCATIONS.run({ of: this, skew: 0, isObserver: true }, look);
  }

  private current(): Invocation | undefined {
    const invocation = INVOCATIONS.getStore();
    return invocation?.of === this ? invocation : undefined;
  }

  /** One run of a Lambda: on a host of its own, and perhaps not to its end. */
  async invocation<T>(run: () => Promise<T>): Promise<T> {
    const one: Invocation = { of: this, skew: 0 };
    if (this.strikes('lambda.killed')) one.effectsLeft = this.below(4);
    try {
      return await INVOCATIONS.run(one, run);
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
      throw new CurfewError('ERR_UNAVAILABLE', 'the function ended without an answer', { fix: 'retry' });
    }
  }

  readonly layer: Layer = (call, go) => (this.isRough || this.late.length > 0 ? this.strike(call, go) : go(call));

  private async strike(call: Parameters<Layer>[0], go: Parameters<Layer>[1]): Promise<unknown> {
    await this.landDue();
    const invocation = this.current();
    if (invocation?.effectsLeft === 0) throw new Stopped(call.name);
    if (call.isEffect && invocation?.effectsLeft !== undefined) invocation.effectsLeft--;

    if (call.name === 'ringKeys.create' && this.strikes('kms.principal-unseen')) await this.clock.sleep(5);
    for (const [row, kind] of Object.entries(ON_CALLS[call.name] ?? {}) as [WeatherRowId, Kind][]) {
      // A put that must find nothing there is tried again by its adapter, and then refused: that is S3 being slow.
      if (kind === 'condition' && !isIfMatch(call.args[3])) continue;
      if (!this.strikes(row)) continue;
      if (kind === 'condition')
        throw new CurfewError('ERR_CONDITION_FAILED', `${call.name}: another write of the same key is under way`);
      if (kind === 'late')
        this.late.push({
          at: this.clock.now() + 1 + this.below(LATE_SECONDS_MAX),
          land: () => go(call).catch(ignoreRefusal),
        });
      if (kind === 'lost') await go(call);
      throw new CurfewError('ERR_UNAVAILABLE', `${call.name} was refused: ${WEATHER_ROWS[row].does}`, { got: row });
    }
    return go(call);
  }

  private async landDue(): Promise<void> {
    for (let n = this.late.findIndex(({ at }) => at <= this.clock.now()); n >= 0; ) {
      const [due] = this.late.splice(n, 1);
      await due?.land();
      n = this.late.findIndex(({ at }) => at <= this.clock.now());
    }
  }

  /** mulberry32: fast, and repeats by seed. */
  private draw(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }
}

/** A Lambda that was stopped at its time-out. Not a CurfewError: no handler may take it for an answer. */
class Stopped extends Crash {
  constructor(call: string) {
    super(call, 'before');
  }
}

function isIfMatch(condition: unknown): boolean {
  return typeof condition === 'object' && condition !== null && 'ifMatch' in condition;
}

/** A transaction that lands late may find that its conditions hold no more: then nobody is told. */
function ignoreRefusal(error: unknown): void {
  if (!isCurfewError(error)) throw error;
}
