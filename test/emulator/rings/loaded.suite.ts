/**
 * Two rings under steady issuing and verifying. One is rotated by its schedule, which takes a minute to come; meanwhile
 * the other is halted, and has an emergency within an emergency.
 */
import { invokePatiently } from '../../../demo/patience';
import { findKey, type Ring } from '../../../lib/domain/rings/ring';
import { successors } from '../../../lib/domain/rings/rotation';
import { taintActive } from './emergency';
import { Load, type Mark, PER_SECOND } from './load';
import { invocationsSince, recordCalls, runsSince } from './runs';
import { inBackground, now, print, type Stage, seconds, TICK_WITHIN_SECONDS, until } from './stage';
import { CACHE_SECONDS } from './test-ring';
import type { Verdicts } from './verdicts';

interface ScheduledRotation {
  /** When it became due. */
  readonly mark: Mark;
  readonly old: string;
  readonly ring: Ring;
  readonly tookMs: number;
  readonly runs: number;
  /** Calls of the rotator until it was rotated; and with one of ours, as the control. */
  readonly calls: readonly [number, number];
}

/** Watches the ring from when its rotation is due until its schedule has come, and the new key has issued for a while. */
async function scheduledRotation({ instance, rings }: Stage, load: Load): Promise<ScheduledRotation> {
  const ring = rings.ES256;
  const rotator = instance.output('FunctionRotatorName');
  const { activeKid: old = '' } = await ring.load();
  const mark = load.mark();
  await ring.makeRotationDue();
  const due = Date.now();
  const after = await until(
    'the schedule rotates',
    TICK_WITHIN_SECONDS,
    () => ring.load(),
    ({ activeKid }) => activeKid !== old,
  );
  const tookMs = Date.now() - due;
  const calls = await invocationsSince(rotator, due);
  const runs = await until(
    'its run is over',
    15,
    () => runsSince(rotator, due),
    (n) => n > 0,
  );
  await invokePatiently('the rotator', () =>
    instance.functions.invoke('rotator', { op: 'tick', ring: rings.ES384.id }),
  );
  const withOurs = await invocationsSince(rotator, due);
  await until(
    'the new key has issued for a while',
    90,
    async () => load.issued.filter(({ kid }) => kid !== old).length,
    (n) => n >= PER_SECOND * (CACHE_SECONDS + 2),
  );
  return { mark, old, ring: after, tookMs, runs, calls: [calls, withOurs] };
}

export function loadedRings(stage: () => Stage): void {
  let calm: Load;
  let load: Load;
  let rotation: Promise<ScheduledRotation>;

  beforeAll(async () => {
    // What may call the rotator in passing has done so.
    await stage().stopped;
    calm = new Load(stage().rings.ES256);
    load = new Load(stage().rings.ES384);
    for (const one of [calm, load]) stage().undo.push(() => one.stop());
    await Promise.all([calm.start(), load.start()]);
    await recordCalls(true);
    stage().undo.push(() => recordCalls(false));
    rotation = inBackground(scheduledRotation(stage(), calm));
  });

  test('halt stops issuing within 5 s, and what was issued stays good', async () => {
    const ring = stage().rings.ES384;
    const mark = load.mark();
    const at = Date.now();
    const { halted } = await stage().instance.functions.invoke('halt', {
      op: 'halt',
      ring: ring.id,
      reason: 'rotation test',
    });
    expect(halted).toBe(true);
    const isHalted = (code: string) => code === 'ERR_RING_HALTED';
    await until(
      'ten requests in a row are refused',
      20,
      async () => load.notIssued.slice(-10),
      (codes) => codes.filter(isHalted).length === 10,
    );
    const last = Math.max(at, ...load.issued.map((one) => one.at)) - at;
    await stage().instance.functions.invoke('halt', { op: 'resume', ring: ring.id, reason: 'rotation test' });
    const resumed = Date.now();
    await until(
      'tokens are issued again',
      20,
      async () => load.issued.at(-1)?.at ?? 0,
      (latest) => latest > resumed,
    );
    const { verifications, refusedGood } = load.since(mark, await ring.load());
    expect(last).toBeLessThanOrEqual(5000);
    expect(refusedGood).toEqual([]);
    print(
      `halt: last token ${seconds(last)} after the command; ${verifications} verifications meanwhile, ${refusedGood.length} refused`,
    );
  });

  test('two emergencies, the second in the middle of the first: both are served', async () => {
    // It counts who calls the rotator: the workflow of an emergency does.
    await rotation;
    const ring = stage().rings.ES384;
    await until(
      'two STANDBYs may sign',
      30,
      () => ring.load(),
      (seen) => successors(seen, now()).length === 2,
    );
    const mark = load.mark();
    const first = await taintActive(stage().asResponder, ring, 'planned', load);
    await first.suspect;
    const second = await taintActive(stage().asResponder, ring, 'compromise', load);
    const traded = await Promise.all([first.traded, second.traded]);
    const withoutStock = Date.now() - second.at;
    // Not longer: the tokens that are shown on would run out meanwhile.
    await Promise.all([first.denied, second.denied]);
    const isOver = (seen: ReturnType<Verdicts['afterTheEnd']>) => seen.refusedBy.size === 2 * load.verifiers.length;
    const late = await until(
      'every verifier refuses both keys',
      60,
      async () => load.verdicts.afterTheEnd(await ring.load()),
      isOver,
    );

    await Promise.all([first.done, second.done]);
    const after = await ring.load();
    const { issued, verifications, refusedGood, unpublished } = load.since(mark, after);
    const waited = [first, second].map(({ kid, at }) => {
      const next = load.issued.find((one) => one.at > at && one.kid !== kid && one.kid !== first.kid);
      return seconds((next?.at ?? Number.NaN) - at);
    });
    print(
      `two emergencies ${seconds(second.at - first.at)} apart: ${issued} issued, ${verifications} verifications, ${refusedGood.length} good tokens refused, ${unpublished.length} under a kid that was not published; first token under the next key after ${waited.join(' and ')}; ${traded.join(' and ')} holders traded, those of the compromised key within ${seconds(withoutStock)}, until when stock verifiers refused them; ${late.refused} old tokens refused after their end, ${late.accepted.length} accepted`,
    );
    expect(refusedGood).toEqual([]);
    expect(unpublished).toEqual([]);
    expect(late.accepted).toEqual([]);
    expect(Math.min(...traded)).toBeGreaterThan(0);
    expect([first, second].map(({ kid }) => findKey(after, kid).state)).toEqual(['DENIED', 'DENIED']);
    expect(await load.leftWithout()).toEqual([]);
    await load.stop();
    // Answers that say to ask again: the ring was halted, or caught between two keys, or the machine was too busy.
    const said = new Set(load.notIssued);
    for (const code of ['ERR_RING_HALTED', 'ERR_KEY_STATE', 'ERR_UNAVAILABLE']) said.delete(code);
    expect([...said]).toEqual([]);
    expect(load.givenUp).toEqual([]);
  });

  test('a ring whose period is over is rotated by its schedule, and nobody notices', async () => {
    const { mark, old, ring, tookMs, runs, calls } = await rotation;
    expect([calls[0], calls[1] > 0]).toEqual([0, true]);
    const { issued, verifications, refusedGood, unpublished } = calm.since(mark, await stage().rings.ES256.load());
    print(
      `rotation by schedule: ${issued} issued, ${verifications} verifications by ${calm.verifiers.length} verifiers, ${refusedGood.length} refused, ${unpublished.length} under a kid that was not published; ${seconds(tookMs)} after it was due; ${runs} runs of the rotator meanwhile, ${calls[0]} of them called by anybody who has to do with this ring`,
    );
    expect(refusedGood).toEqual([]);
    expect(unpublished).toEqual([]);
    expect(findKey(ring, old)).toMatchObject({ state: 'VERIFY_ONLY', inJwks: true });
    await calm.stop();
    expect(calm.givenUp).toEqual([]);
  });
}
