/**
 * A story in memory, act by act. Before each act the world is photographed, so that the act can be played again with one
 * of the rows that it read spoilt: a real ring or departure, brought to where that Lambda is about to run.
 */
import { isCurfewError } from '../../lib/domain/base/errors';
import { SWEEP_EVERY_SECONDS } from '../../lib/domain/deployment/time-outs';
import { OUTBOX_PREFIX, type Row } from '../../lib/domain/store/table';
import type { World } from '../../lib/local/world';
import { sweep } from '../../lib/work/evidence/sweep';
import { type Photograph, photograph } from '../support/photograph';
import { type Reader, type Reading, type Spoiling, Tap } from './tap';

export interface Moment {
  /** `planner list` */
  readonly says: string;
  readonly scene: Scene;
  readonly reader: Reader;
  /** By whoever was called, and by those whom it called in turn. */
  readonly readings: readonly Reading[];
  readonly run: () => Promise<unknown>;
  readonly before: Photograph;
}

/** How an act ends in which one row could not be read. */
export interface Outcome {
  /** What ERR_ITEM_INVALID says of the row as it was handed out. */
  readonly message: string;
  /** What happened after that row was handed out. */
  readonly effectsAfter: readonly string[];
  readonly error?: unknown;
  readonly answer?: unknown;
}

export class Scene<W extends World = World> {
  readonly moments: Moment[] = [];
  readonly tap: Tap;
  /** What the world is like as it is now, where that is known. */
  private standing: Photograph | undefined;

  constructor(readonly world: W) {
    this.tap = new Tap(world);
  }

  /** Plays an act, and keeps it if it read anything. What it answers or throws is for the story to go on with. */
  readonly act = async <T>(says: string, run: () => Promise<T>): Promise<T> => {
    const before = photograph(this.world);
    this.tap.begin();
    try {
      return await run();
    } finally {
      const [reader] = this.tap.readers;
      const readings = [...this.tap.readings];
      if (reader && readings.length > 0)
        this.moments.push({ says: `${reader} ${says}`, scene: this, reader, readings, run, before });
    }
  };

  private goBackTo(photograph: Photograph): void {
    if (this.standing !== photograph) photograph.restore();
  }

  /** Plays an act again, as far as it goes with one reading spoilt. */
  async replay({ run, before }: Moment, { reader, entity, n }: Reading, spoil: (row: Row) => Row): Promise<Outcome> {
    this.goBackTo(before);
    const at = this.world.clock.now();
    const spoiling: Spoiling = { reader, entity, n, spoil };
    this.tap.begin(spoiling);
    const ended = await run().then(
      (answer) => ({ answer }),
      (error: unknown) => ({ error }),
    );
    const seen = this.tap.end();
    // Most end at a first reading, and leave everything as it was: what is as photographed need not be put back.
    const isUntouched = this.world.faults.effects.length === 0 && this.world.clock.now() === at;
    this.standing = isUntouched ? before : undefined;
    if (seen === undefined) throw new Error(`${reader} did not come to its reading ${n} of a ${entity.name} again`);
    return { ...seen, ...ended };
  }
}

/** The call failed with the refusal of this very row. */
export function isRefused({ error, message }: Outcome): boolean {
  return isCurfewError(error, 'ERR_ITEM_INVALID') && error.message === message;
}

/** One reading of each kind, by what `kindOf` says of it, with the moment that it belongs to. */
export function firstOfEach(
  moments: readonly Moment[],
  kindOf: (reading: Reading, moment: Moment) => string | undefined,
): { readonly moment: Moment; readonly reading: Reading }[] {
  const found = new Map<string, { readonly moment: Moment; readonly reading: Reading }>();
  for (const moment of moments)
    for (const reading of moment.readings) {
      const kind = kindOf(reading, moment);
      if (kind !== undefined && !found.has(kind)) found.set(kind, { moment, reading });
    }
  return [...found.values()];
}

/** Every segment, at one instant after all of the stream: what could not be read. */
export async function sweepAll<T extends string>(
  world: World,
  tables: readonly T[],
  deps: Parameters<typeof sweep<T>>[1],
): Promise<readonly Error[]> {
  const at = world.clock.now();
  const errors: Error[] = [];
  try {
    for (let n = 0; n < 16; n++) {
      world.clock.advance(SWEEP_EVERY_SECONDS);
      errors.push(...(await sweep(tables, deps)).errors);
    }
  } finally {
    world.clock.set(at);
  }
  return errors;
}

/** Those of a stream that its event source lets through to an outbox Lambda. */
export function outboxRows(rows: readonly Row[]): readonly Row[] {
  return rows.filter(({ sk }) => sk.startsWith(OUTBOX_PREFIX));
}
