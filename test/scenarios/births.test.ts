/** Births of rings as AWS lets them happen: whatever may pass is waited out, whatever may be lost is found again. */

import { applyRingConfig } from '../../lambdas/ring-deployer';
import { rotate } from '../../lambdas/rotator';
import { CurfewError, type ErrorCode } from '../../lib/domain/base/errors';
import { SharedClock } from '../../lib/local/clock';
import type { Layer } from '../../lib/local/interposer';
import { STORM, Weather } from '../../lib/local/weather';
import { World, type WorldOptions } from '../../lib/local/world';
import { loadRing } from '../../lib/work/rings/load-ring';
import { extent, THOROUGH } from '../support/extent';
import { seedFor } from '../support/seeded';
import { AUDIENCE, NOW, RING, SETTINGS, wire } from './signing-world';

const say = (line: string) => process.stdout.write(`${line}\n`);
const configOf = (id = RING) => ({
  id,
  issuer: `https://id.shop.example/r/${id}`,
  audience: AUDIENCE,
  algorithm: 'ES256',
  periodSeconds: 30 * 86_400,
  maxTtlSeconds: 3600,
});

const worldWith = (options: WorldOptions = {}, ...layers: readonly Layer[]): World => {
  const world = wire(new World({ now: NOW, settings: SETTINGS, ...options }));
  for (const layer of layers) world.ports.add(layer);
  return world;
};
const birth = (world: World, id?: string) => applyRingConfig(configOf(id), world.deps('ring-deployer'));
const ringOf = (world: World, id = RING) => loadRing({ tables: world.tables.parsed }, id);

/** What the next hours' ticks make of it. */
async function settle(world: World, id = RING): Promise<void> {
  await world.weather.calm();
  for (let n = 0; n < 8; n++) {
    world.clock.advance(300);
    await rotate({ op: 'tick', ring: id }, world.deps('rotator'));
  }
}

/** One key signs, of all that KMS was ever asked to make for rings; two stand by, disabled. */
async function expectWhole(world: World, id = RING): Promise<void> {
  const { keys, activeKid } = await ringOf(world, id);
  const active = keys.find(({ kid }) => kid === activeKid);
  expect(active?.state).toBe('ACTIVE');
  expect(keys.filter(({ state }) => state === 'STANDBY').map(({ kmsState }) => kmsState)).toEqual([
    'Disabled',
    'Disabled',
  ]);
  const made = world.kms.keysOfSlots(`test/${id}/`);
  expect(made.filter(({ state }) => state === 'Enabled').map(({ arn }) => arn)).toEqual([active?.kmsKeyArn]);
}

test('kms.lockout: without the bypass no ring is ever born, and nothing is waited for', async () => {
  const world = worldWith({}, (call, go) =>
    go(
      call.name === 'ringKeys.create'
        ? { ...call, args: [{ ...(call.args[0] as object), bypassPolicyLockoutSafetyCheck: false }] }
        : call,
    ),
  );
  await expect(birth(world)).rejects.toMatchObject({ code: 'ERR_CONFIG_INVALID' });
  expect(world.clock.now()).toBe(NOW);
  await birth(worldWith());
});

describe('a single error, at each call of a birth', () => {
  type Fault = { readonly code: ErrorCode; readonly when: 'before' | 'after' };
  /** Those that AWS gives to a caller whose request was good. */
  const ON: Readonly<Record<string, readonly Fault[]>> = {
    'ringKeys.create': [{ code: 'ERR_ACCESS_DENIED', when: 'before' }],
    'ringKeys.publicKey': [
      { code: 'ERR_NOT_FOUND', when: 'before' },
      { code: 'ERR_ACCESS_DENIED', when: 'before' },
    ],
    'ringKeys.disable': [
      { code: 'ERR_NOT_FOUND', when: 'before' },
      { code: 'ERR_ACCESS_DENIED', when: 'before' },
    ],
    'ringKeys.describe': [
      { code: 'ERR_NOT_FOUND', when: 'before' },
      { code: 'ERR_ACCESS_DENIED', when: 'before' },
    ],
    'ringKeys.enable': [
      { code: 'ERR_NOT_FOUND', when: 'before' },
      { code: 'ERR_ACCESS_DENIED', when: 'before' },
    ],
    'signer.sign': [
      { code: 'ERR_KEY_DISABLED', when: 'before' },
      { code: 'ERR_NOT_FOUND', when: 'before' },
    ],
    'objects.put': [{ code: 'ERR_CONDITION_FAILED', when: 'before' }],
  };
  const ALWAYS: readonly Fault[] = [
    { code: 'ERR_UNAVAILABLE', when: 'before' },
    { code: 'ERR_UNAVAILABLE', when: 'after' },
  ];

  /** Strikes the n-th call, counted without those on the clock. */
  function at(n: number, fault: Fault, seen: string[]): Layer {
    return async (call, go) => {
      if (call.port === 'clock') return go(call);
      if (seen.push(call.name) !== n) return go(call);
      if (fault.when === 'after') await go(call);
      throw new CurfewError(fault.code, `${call.name} failed once`);
    };
  }

  test('is survived: the ring is born, within the budget of its Lambda, and one key of it signs', async () => {
    const calls: string[] = [];
    const undisturbed = worldWith({}, at(0, { code: 'ERR_UNAVAILABLE', when: 'before' }, calls));
    await birth(undisturbed);
    const usual = undisturbed.clock.now() - NOW;
    let longest = { seconds: 0, what: '' };
    let births = 0;
    // By turns, so that some runs after another had every call: `npm run verify:all` has them all in one.
    const step = extent(24, 1);
    for (const [index, name] of calls.entries()) {
      if (index % step !== seedFor('births') % step) continue;
      for (const fault of [...ALWAYS, ...(ON[name] ?? [])]) {
        const world = worldWith({ seed: `${index}` }, at(index + 1, fault, []));
        await birth(world);
        const seconds = world.clock.now() - NOW;
        if (seconds > longest.seconds) longest = { seconds, what: `${fault.code} ${fault.when} ${name}` };
        await settle(world);
        await expectWhole(world);
        births++;
      }
    }
    say(
      `births: ${births}, each with one error, all born; ${usual} s without, ${longest.seconds} s at most (${longest.what})`,
    );
    expect(births).toBeGreaterThan(calls.length / step);
    expect(longest.seconds).toBeLessThan(120);
  });
});

test('F-D2: the first answer of KMS about a key that it has just made is NotFound', async () => {
  const asked = new Set<unknown>();
  const world = worldWith({}, async (call, go) => {
    const [arn] = call.args;
    if (!/^ringKeys\.(publicKey|disable|describe)$/.test(call.name) || asked.has(`${call.name} ${arn}`))
      return go(call);
    asked.add(`${call.name} ${arn}`);
    throw new CurfewError('ERR_NOT_FOUND', 'kms has no such key yet');
  });
  await birth(world);
  expect(asked.size).toBe(9);
  await expectWhole(world);
});

test('F-D3, http.no-name: the first key is read back at the API itself; those that stand by, where verifiers are', async () => {
  const world = worldWith({ config: { publicBaseUrl: 'https://keys.shop.example', apiBaseUrl: 'https://api.test' } });
  let resolves = false;
  const documents = world.deps('well-known');
  const { wellKnown } = await import('../../lambdas/well-known');
  const serve = async (path: string) => {
    const { statusCode = 500, body = '' } = await wellKnown(path, documents);
    return { status: statusCode, body };
  };
  world.http.route('https://api.test/r/', (url) => serve(url.slice('https://api.test'.length)));
  world.http.route('https://keys.shop.example/r/', (url) => {
    if (!resolves) throw new CurfewError('ERR_UNAVAILABLE', 'the name does not resolve', { got: url });
    return serve(url.slice('https://keys.shop.example'.length));
  });
  await birth(world);
  const confirmed = async () =>
    (await ringOf(world)).keys.filter(({ confirmedAt }) => confirmedAt !== undefined).length;
  expect([(await ringOf(world)).activations, await confirmed()]).toEqual([1, 1]);
  await expect(rotate({ op: 'tick', ring: RING }, world.deps('rotator'))).rejects.toMatchObject({
    code: 'ERR_UNAVAILABLE',
  });
  resolves = true;
  await rotate({ op: 'tick', ring: RING }, world.deps('rotator'));
  expect(await confirmed()).toBe(3);
});

test.each([
  ['answers 403', async () => ({ status: 403, body: '' }), 'the last answer was 403'],
  ['has not the key', async () => ({ status: 200, body: '{"keys":[]}' }), 'the last answer was 200, without the key'],
  [
    'does not answer',
    async () => Promise.reject(new CurfewError('ERR_UNAVAILABLE', 'nothing answered within five seconds')),
    ': nothing answered within five seconds',
  ],
] as const)(
  'B4, http.not-yet: a ring whose URL %s is not born, and the error names the URL and the answer',
  async (_, route, says) => {
    const world = worldWith({ config: { publicBaseUrl: 'https://wrong.shop.example' } });
    // Nearer than the route of the API itself.
    world.http.route(`https://wrong.shop.example/r/${RING}/`, route);
    const url = `https://wrong.shop.example/r/${RING}/.well-known/jwks.json`;
    const failure = await birth(world).catch((error: Error) => error.message);
    expect(failure).toContain(url);
    expect(failure).toContain(says);
    expect(world.clock.now() - NOW).toBeGreaterThan(100);
  },
);

test('kms.stale: a key that nobody lived to write down is disabled, although the first host has not heard of it', async () => {
  let isLost = true;
  const stale = new Set<unknown>();
  const world = worldWith({}, async (call, go) => {
    const [arn] = call.args;
    if (call.name === 'ringKeys.create' && isLost) {
      isLost = false;
      stale.add(await go(call));
      throw new CurfewError('ERR_UNAVAILABLE', 'the answer was lost');
    }
    // Not shown to the birth; at the sweep, the first host that is asked does not know it.
    if (call.name === 'ringKeys.find' && world.clock.now() < NOW + 200) return [];
    if (call.name === 'ringKeys.describe' && stale.delete(arn))
      throw new CurfewError('ERR_NOT_FOUND', 'no such key yet');
    return go(call);
  });
  await birth(world);
  expect(stale.size).toBe(1);
  await settle(world);
  expect(stale.size).toBe(0);
  await expectWhole(world);
});

describe('kms.throttled, F-D1: KMS makes, enables and disables five keys in a second, and no more', () => {
  const PER_SECOND = 5;

  /** What the SDK has given up on: its adaptive client has waited a second. */
  function quota(world: World, refused: { n: number }): Layer {
    const used = new Map<string, number>();
    return async (call, go) => {
      if (!/^ringKeys\.(create|enable|disable)$/.test(call.name)) return go(call);
      const slot = `${call.name} ${world.clock.now()}`;
      used.set(slot, (used.get(slot) ?? 0) + 1);
      if ((used.get(slot) ?? 0) <= PER_SECOND) return go(call);
      refused.n++;
      await world.clock.sleep(1);
      throw new CurfewError('ERR_UNAVAILABLE', `${call.name} was refused: ThrottlingException`);
    };
  }

  test.each<[number, string]>([
    [12, 'all at once'],
    ...(THOROUGH ? [[30, 'all at once'] as [number, string]] : []),
    [30, 'one after another, as the template has them'],
  ])('%i rings, %s', async (rings, how) => {
    const clock = new SharedClock(NOW);
    const world = worldWith({ clock });
    const refused = { n: 0 };
    world.ports.add(quota(world, refused));
    const ids = Array.from({ length: rings }, (_, n) => `ring-${n}`);
    await clock.run(async () => {
      if (how === 'all at once') await Promise.all(ids.map((id) => birth(world, id)));
      else for (const id of ids) await birth(world, id);
    });
    const seconds = clock.now() - NOW;
    say(`${rings} rings, ${how}: all born in ${seconds} s of virtual time, ${refused.n} calls were refused`);
    for (const id of ids) expect((await ringOf(world, id)).activeKid).toBeDefined();
    expect(refused.n > 0).toBe(how === 'all at once');
  });
});

/** A night's storm has more seeds: `npm run verify:all`. */
const SEEDS = extent(4, 600);

test('births in a storm: born at the first deployment or the next, and one key of each ring signs in the end', async () => {
  const first = seedFor('births in a storm');
  const tries = [0, 0, 0, 0];
  const struck: Record<string, number> = {};
  for (let n = 0; n < SEEDS; n++) {
    const clock = new SharedClock(NOW);
    const weather = new Weather(`${first + n}`, STORM);
    const world = worldWith({ clock, weather, seed: `${first + n}` });
    await clock.run(async () => {
      for (let attempt = 1; ; attempt++) {
        try {
          await weather.invocation(() => birth(world));
          tries[attempt] = (tries[attempt] ?? 0) + 1;
          return;
        } catch (error) {
          if (attempt === 3) throw new Error(`seed ${first + n}: not born in three deployments`, { cause: error });
        }
      }
    });
    await weather.calm();
    for (let tick = 0; tick < 8; tick++) {
      clock.advance(300);
      await clock.run(() => rotate({ op: 'tick', ring: RING }, world.deps('rotator')));
    }
    try {
      await expectWhole(world);
    } catch (cause) {
      throw new Error(`seed ${first + n}`, { cause });
    }
    for (const [row, times] of Object.entries(weather.struck)) struck[row] = (struck[row] ?? 0) + times;
  }
  say(
    `births in a storm: ${SEEDS} seeds from ${first}; born at deployment 1: ${tries[1]}, 2: ${tries[2]}, 3: ${tries[3]}`,
  );
  say(
    Object.entries(struck)
      .sort()
      .map(([row, times]) => `${row} ${times}`)
      .join(', '),
  );
  // By day some rows may not come by; at night each does.
  for (const row of ['kms.stale', 'kms.throttled', 'kms.lost-answer', 'tags.stale', 'dynamodb.late', 'lambda.killed'])
    if (THOROUGH) expect(struck[row]).toBeGreaterThan(0);
});
