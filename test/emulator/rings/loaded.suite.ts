/** One ring under steady issuing and verifying: halted, rotated by its schedule, and in an emergency within an emergency. */
import { findKey } from '../../../lib/domain/rings/ring';
import { taintActive } from './emergency';
import { Load, PER_SECOND } from './load';
import { invocationsSince, recordCalls, runsSince } from './runs';
import { print, type Stage, seconds, TICK_WITHIN_SECONDS, until } from './stage';
import { CACHE_SECONDS } from './test-ring';
import type { Verdicts } from './verdicts';

export function loadedRing(stage: () => Stage): void {
  let load: Load;

  beforeAll(async () => {
    load = new Load(stage().rings.ES256);
    stage().undo.push(() => load.stop());
    await load.start();
  });

  test('halt stops issuing within 5 s, and what was issued stays good', async () => {
    const ring = stage().rings.ES256;
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
      10,
      async () => load.notIssued.slice(-10),
      (codes) => codes.filter(isHalted).length === 10,
    );
    const last = Math.max(at, ...load.issued.map((one) => one.at)) - at;
    await stage().instance.functions.invoke('halt', { op: 'resume', ring: ring.id, reason: 'rotation test' });
    const resumed = Date.now();
    await until(
      'tokens are issued again',
      10,
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

  test('a ring whose period is over is rotated by its schedule, and nobody notices', async () => {
    const ring = stage().rings.ES256;
    const rotator = stage().instance.output('FunctionRotatorName');
    const { activeKid: old = '' } = await ring.load();
    const mark = load.mark();
    await recordCalls(true);
    stage().undo.push(() => recordCalls(false));
    await ring.makeRotationDue();
    const due = Date.now();
    const after = await until(
      'the schedule rotates',
      TICK_WITHIN_SECONDS,
      () => ring.load(),
      ({ activeKid }) => activeKid !== old,
    );
    const took = Date.now() - due;
    const invocations = await invocationsSince(rotator, due);
    const runs = await until(
      'its run is over',
      15,
      () => runsSince(rotator, due),
      (n) => n > 0,
    );
    // The control: a call of ours is seen.
    await stage().instance.functions.invoke('rotator', { op: 'tick', ring: stage().rings.ES384.id });
    expect([invocations, await invocationsSince(rotator, due)]).toEqual([0, 1]);
    await until(
      'the new key has issued for a while',
      15,
      async () => load.issued.filter(({ kid }) => kid !== old).length,
      (n) => n >= PER_SECOND * (CACHE_SECONDS + 2),
    );

    const { issued, verifications, refusedGood, unpublished } = load.since(mark, await ring.load());
    print(
      `rotation by schedule: ${issued} issued, ${verifications} verifications by ${load.verifiers.length} verifiers, ${refusedGood.length} refused, ${unpublished.length} under a kid that was not published; ${seconds(took)} after it was due; ${runs} runs of the rotator, ${invocations} of them called by anybody`,
    );
    expect(refusedGood).toEqual([]);
    expect(unpublished).toEqual([]);
    expect(findKey(after, old)).toMatchObject({ state: 'VERIFY_ONLY', inJwks: true });
  });

  test('two emergencies within a minute, the second in the middle of the first: both are served', async () => {
    const ring = stage().rings.ES256;
    const mark = load.mark();
    const first = await taintActive(ring, 'planned', load);
    const tradedFirst = await first.traded;
    const second = await taintActive(ring, 'compromise', load);
    const traded = [tradedFirst, await second.traded];
    const withoutStock = Date.now() - second.at;
    await Promise.all([first.done, second.done]);
    const isOver = (seen: ReturnType<Verdicts['afterTheEnd']>) => seen.refusedBy.size === 2 * load.verifiers.length;
    const late = await until(
      'every verifier refuses both keys',
      20,
      async () => load.verdicts.afterTheEnd(await ring.load()),
      isOver,
    );

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
    expect(second.at - first.at).toBeLessThan(60_000);
    expect([first, second].map(({ kid }) => findKey(after, kid).state)).toEqual(['DENIED', 'DENIED']);
    expect(await load.leftWithout()).toBe(0);
    await load.stop();
    // Answers that say to ask again: the ring was halted, or caught between two keys. And the emulator's own time-outs.
    const others = load.notIssued.filter((code) => code !== 'ERR_RING_HALTED' && code !== 'ERR_KEY_STATE');
    expect(others.filter((code) => code !== 'ERR_UNAVAILABLE')).toEqual([]);
    expect(others.length).toBeLessThan(load.issued.length / 50);
  });
}
