/** The ring commands under exactly the rights of their rows in `lib/domain/deployment/access.ts`, on a ring in memory. */

import type { CommandPorts } from '../../bin/commands/command';
import { rotateRing, switchIssuing } from '../../bin/commands/ring-change';
import { taintKey } from '../../bin/commands/ring-taint';
import { showRing, showRings } from '../../bin/commands/ring-view';
import { rotate } from '../../lambdas/rotator';
import { CurfewError } from '../../lib/domain/base/errors';
import { STEPS } from '../../lib/domain/cases/steps';
import { COMMAND_RIGHTS, type CommandName } from '../../lib/domain/deployment/access';
import { ENDING, type EndingStepName } from '../../lib/domain/rings/ending';
import { RESTS_FOR } from '../../lib/domain/rings/obstacles';
import type { World } from '../../lib/local/world';
import {
  calmly,
  issueTo,
  legacyClaims,
  RING,
  record,
  ringOf,
  type SigningWorld,
  signingWorld,
  signLegacy,
  verifierOf,
} from '../scenarios/signing-world';
import { verdict } from '../support/published';
import { alwaysViolated, settledViolated } from '../support/ring-invariants';

const DRAWING = { width: 80, unicode: false };

/** What the command gets from AWS under a policy of its row alone: the twins refuse the rest. */
function under<C extends CommandName>(world: World, command: C): CommandPorts<C> {
  const rights: readonly string[] = COMMAND_RIGHTS[command];
  const { clock } = world;
  return {
    clock,
    tables: world.tables.restricted(rights),
    functions: world.functions.restricted(rights),
  } as unknown as CommandPorts<C>;
}

let world: SigningWorld;
let said: string[];
const progress = (line: string) => said.push(line);
beforeEach(async () => {
  world = await signingWorld({}, calmly);
  said = [];
});
const states = async () =>
  (await ringOf(world)).keys.map(({ kind, state }) => (kind === 'kms' ? state : `PEM ${state}`));
const active = async () => (await ringOf(world)).activeKid ?? '';
const tables = () => JSON.stringify(world.tables.dump('keys'));

describe('ring list', () => {
  test('one line a ring: who issues, since when, what is ready, what is due', async () => {
    world.clock.advance(86_400);
    const { text, json } = await showRings(under(world, 'ring list'));
    const kid = await active();
    expect(text.split('\n')).toEqual([
      `ring          alg    ACTIVE${' '.repeat(kid.length - 6)}  age  STANDBY ready  next rotation                       tainted, waves  issues`,
      expect.stringMatching(/^-+ /),
      `${RING}  ES256  ${kid}  1 d  2 of 2         2027-02-14T08:00:10Z, in 28 d 23 h  -               yes`,
    ]);
    expect(json).toMatchObject([{ ring: RING, activeKid: kid, standbysReady: 2, openWaves: 0, issuing: 'yes' }]);
  });

  test('says of a halted ring that it is', async () => {
    await switchIssuing(under(world, 'ring halt'), { op: 'halt', ring: RING, reason: 'drill' });
    expect((await showRings(under(world, 'ring list'))).text).toMatch(/HALTED$/);
  });
});

describe('ring show', () => {
  test('every key whole, a time line, and what comes next in words', async () => {
    const { text, json } = await showRing(under(world, 'ring show'), RING, DRAWING);
    const ring = await ringOf(world);
    for (const { kid } of ring.keys) expect(text).toContain(kid);
    expect(text).toMatch(/^PEM \S{8} +o/m);
    expect(text).toMatch(
      new RegExp(
        `^2027-02-14T08:00:10Z  in 29 d 23 h  \\S{8} takes over; ${ring.activeKid?.slice(0, 8)} verifies on`,
        'm',
      ),
    );
    expect(text).toMatch(/KMS refuses \S{8} by its own policy, if no rotation came before/);
    expect(json).toMatchObject({
      ring: RING,
      activeKid: ring.activeKid,
      issuing: 'yes',
      keys: ring.keys,
      next: undefined,
    });
  });

  test('of a key that is not fit it says why, as the run-book has it', async () => {
    const shown = async () => (await showRing(under(world, 'ring show'), RING, DRAWING)).text;
    expect(await shown()).not.toMatch(/\bnote\b/);
    const [standby] = (await ringOf(world)).keys.filter(({ state }) => state === 'STANDBY');
    const { kid = '', kmsKeyArn = '' } = standby ?? {};
    world.kms.override(kmsKeyArn, { grants: ['g-1'] });
    await rotateRing(under(world, 'ring rotate'), { ring: RING, reason: 'x' }, progress);
    await rotate({ op: 'tick', ring: RING }, world.deps('rotator'));
    const text = await shown();
    expect(text).toMatch(
      new RegExp(`^${kid.slice(0, 8)} +policy granted: it is as written, and a KMS grant exists beside it$`, 'm'),
    );
    expect(text).toMatch(
      /^\S{8} +may not sign yet: published since \S+Z, it may be unknown to a verifier until \S+Z$/m,
    );
  });

  test('a ring that is not there is said not to be', async () => {
    await expect(showRing(under(world, 'ring show'), 'no-such-ring', DRAWING)).rejects.toMatchObject({
      code: 'ERR_NOT_FOUND',
      message: 'no ring no-such-ring',
      fix: expect.any(String),
    });
  });
});

describe('ring rotate', () => {
  const run = () => rotateRing(under(world, 'ring rotate'), { ring: RING, reason: 'CHG-9' }, progress);

  test('puts the next key in place, waits for the drain and has KMS disable the old one; its tokens stay good', async () => {
    const verifier = await verifierOf(world);
    const from = await active();
    const token = await issueTo(world, 'member-1');
    const before = world.clock.now();
    const { json, text, exitCode } = await run();
    const to = await active();
    expect({ json, exitCode }).toEqual({
      json: { ring: RING, from, to, kms: 'Disabled', unfinished: undefined },
      exitCode: 0,
    });
    expect(text).toBe(`${RING} rotated: ${from} -> ${to}`);
    expect(to).not.toBe(from);
    expect(said).toEqual([
      `asking for a successor of ${from}`,
      `${to} issues; ${from} goes on verifying`,
      'waiting 15 s for signatures that are under way',
      `KMS says of ${from}: Disabled`,
    ]);
    expect(world.clock.now() - before).toBeGreaterThanOrEqual((await ringOf(world)).cfg.drainSeconds);
    expect(await verdict(verifier, token)).toBe('accepted');
    expect(await verdict(verifier, await issueTo(world, 'member-1'))).toBe('accepted');
    expect([await alwaysViolated(world), await settledViolated(world)]).toEqual([[], []]);
  });

  test('when no STANDBY is old enough nothing changes, and the refusal says how long it takes', async () => {
    await run();
    await run();
    const before = await states();
    await expect(run()).rejects.toMatchObject({
      code: 'ERR_NO_SUCCESSOR',
      message: `ring ${RING} has no key that may sign next`,
      fix: expect.stringContaining('a STANDBY waits 70 s'),
    });
    expect(await states()).toEqual(before);
  });

  test('a rotation that a tick was faster with is not done twice', async () => {
    const deps = under(world, 'ring rotate');
    const from = await active();
    const functions = {
      invoke: async (name: 'rotator', request: never) => {
        if ((request as { op: string }).op === 'rotate' && (await active()) === from)
          await rotate({ op: 'rotate', ring: RING, from, reason: 'somebody else' }, world.deps('rotator'));
        return world.functions.invoke(name, request);
      },
    };
    const { json } = await rotateRing({ ...deps, functions } as never, { ring: RING, reason: 'CHG-9' }, progress);
    expect(json).toMatchObject({ from, to: await active() });
    expect((await ringOf(world)).activations).toBe(2);
  });
});

describe('ring rotate, when something fails after the activation', () => {
  type Invoke = (name: never, request: { readonly op?: string }) => Promise<unknown>;
  const with_ = (invoke: Invoke, more: object = {}) =>
    rotateRing(
      { ...under(world, 'ring rotate'), functions: { invoke }, ...more } as never,
      { ring: RING, reason: 'CHG-9' },
      progress,
    );
  const asked: Invoke = (name, request) => world.functions.invoke(name, request as never);
  const lost = () => new CurfewError('ERR_UNAVAILABLE', 'the answer was lost');

  test.each(['rotate', 'disable-old'])(
    '%s: it has rotated, says so, and does not invite to do it again',
    async (op) => {
      const from = await active();
      const { json, text, exitCode } = await with_(async (name, request) => {
        const answer = await asked(name, request);
        if (request.op === op) throw lost();
        return answer;
      });
      const to = await active();
      expect(to).not.toBe(from);
      expect({ json, exitCode }).toMatchObject({
        json: { from, to, unfinished: 'the answer was lost (ERR_UNAVAILABLE)' },
        exitCode: 1,
      });
      expect(text.split('\n')).toEqual([
        `${RING} rotated: ${from} -> ${to}`,
        'the answer was lost (ERR_UNAVAILABLE)',
        `the rotation is done, do not repeat it: the next tick disables ${from}, see \`curfew ring show ${RING}\``,
      ]);
    },
  );

  test('a key that KMS does not tell of is not taken for disabled', async () => {
    const kid = await active();
    const { exitCode, text } = await with_(async (name, request) => {
      if (request.op !== 'disable-old') return asked(name, request);
      return { done: [], disabled: [{ kid, state: 'Unreadable' }] };
    });
    expect([exitCode, text]).toEqual([
      1,
      expect.stringMatching(/: Unreadable\nthe rotation is done, do not repeat it/),
    ]);
  });

  test('where nothing was activated the error stays one, and nothing is done', async () => {
    const from = await active();
    await expect(with_(() => Promise.reject(lost()))).rejects.toMatchObject({ message: 'the answer was lost' });
    expect(await active()).toBe(from);
  });

  test('where the ring cannot be read again, nobody claims to know', async () => {
    const { tables: keys } = under(world, 'ring rotate');
    let isDown = false;
    const query: typeof keys.query = (range) => (isDown ? Promise.reject(lost()) : keys.query(range));
    const down = with_(
      () => {
        isDown = true;
        return Promise.reject(lost());
      },
      { tables: { query } },
    );
    expect(await down).toMatchObject({
      exitCode: 1,
      text: expect.stringMatching(/^it is not known whether .*\nlook at `curfew ring show .*` before you ask again$/),
    });
  });
});

describe('ring taint --direct', () => {
  const run = (kid: string, taintClass: 'compromise' | 'planned' = 'compromise') =>
    taintKey(
      under(world, 'ring taint'),
      { kid, class: taintClass, reason: 'found in a backup', direct: true },
      progress,
    );

  test('the kid alone names the ring: replaced, re-signed from the ledger, DENIED, disabled', async () => {
    const verifier = await verifierOf(world);
    const kid = await active();
    const token = await issueTo(world, 'member-1');
    expect(await verdict(verifier, token)).toBe('accepted');
    const { json, text, exitCode } = await run(kid);
    expect(json).toEqual({ ring: RING, kid, state: 'DENIED', kms: 'Disabled', resigned: 1 });
    expect([text, exitCode]).toEqual([`${kid} DENIED, 1 tokens re-signed`, 0]);
    expect(said[1]).toBe(`prepared ${await active()}`);
    world.clock.advance(10);
    expect(await verdict(verifier, token)).toBe('ERR_TOKEN_KID_STATE');
    expect([await alwaysViolated(world), await settledViolated(world)]).toEqual([[], []]);
  });

  test('the key of the issuer before us is ended as well; KMS never had it', async () => {
    const { kid } = world.legacy.jwk;
    await record(world, [signLegacy(world, legacyClaims(world, 'member-1', 'jti-1'))]);
    const { json } = await run(kid);
    expect(json).toEqual({ ring: RING, kid, state: 'DENIED', kms: 'not in KMS', resigned: 1 });
    expect(said.some((line) => line.startsWith('prepared'))).toBe(false);
  });

  test('two emergencies within a minute, the second while the first still drains, are both served', async () => {
    const verifier = await verifierOf(world);
    const first = await active();
    const tokens = [await issueTo(world, 'member-1'), await issueTo(world, 'member-2')];
    const started = world.clock.now();
    const second = { kid: '', done: undefined as unknown, at: 0 };
    const deps = under(world, 'ring taint');
    // The first waits for its drain: that is when the key that took over is found to be copied too.
    const clock = {
      now: () => world.clock.now(),
      sleep: async (seconds: number) => {
        if (second.kid === '') {
          second.kid = await active();
          tokens.push(await issueTo(world, 'member-3'));
          second.at = world.clock.now();
          second.done = (await run(second.kid)).json;
        }
        world.clock.advance(seconds);
      },
    };
    const { json } = await taintKey(
      { ...deps, clock },
      { kid: first, class: 'compromise', reason: 'first', direct: true },
      progress,
    );
    expect(second.at - started).toBeLessThan(60);
    expect(json).toMatchObject({ kid: first, state: 'DENIED', kms: 'Disabled' });
    expect(second.done).toMatchObject({ kid: second.kid, state: 'DENIED', kms: 'Disabled' });
    world.clock.advance(10);
    for (const token of tokens) expect(await verdict(verifier, token)).toBe('ERR_TOKEN_KID_STATE');
    expect(await verdict(verifier, await issueTo(world, 'member-1'))).toBe('accepted');
    world.clock.advance(RESTS_FOR);
    await rotate({ op: 'tick', ring: RING }, world.deps('rotator'));
    expect((await states()).sort()).toEqual(['ACTIVE', 'DENIED', 'DENIED', 'PEM OBSERVED', 'STANDBY', 'STANDBY']);
    expect([await alwaysViolated(world), await settledViolated(world)]).toEqual([[], []]);
  });

  test('a batch that another emergency overtook is done by the next pass', async () => {
    const kid = await active();
    for (const sub of ['member-1', 'member-2', 'member-3']) await issueTo(world, sub);
    let refused = 0;
    const functions = {
      invoke: async (name: never, request: never) => {
        if (name === 'resigner' && (request as { pass: number }).pass === 1 && refused++ < 8)
          throw new CurfewError('ERR_KEY_STATE', 'key abc stopped issuing during the wave');
        return world.functions.invoke(name, request);
      },
    };
    const deps = { ...under(world, 'ring taint'), functions } as never;
    const { json } = await taintKey(deps, { kid, class: 'compromise', reason: 'first', direct: true }, progress);
    expect(json).toMatchObject({ state: 'DENIED', resigned: 3 });
    expect(said).toContain('pass 1: key abc stopped issuing during the wave');
    expect(said).toContain('pass 2: 3 found, 3 tokens re-signed');
  });

  test('takes the steps of a departure, in their order', async () => {
    const kid = await active();
    await issueTo(world, 'member-1');
    const calls: string[] = [];
    const note = (call: string) => calls.at(-1) !== call && calls.push(call);
    const clock = {
      now: () => world.clock.now(),
      sleep: async (seconds: number) => {
        note(`sleep ${seconds}`);
        world.clock.advance(seconds);
      },
    };
    const functions = {
      invoke: async (name: never, request: never) => {
        const { op = '', pass = '' } = request as { op?: string; pass?: number };
        note(`${name} ${op}${pass}`.trim());
        return world.functions.invoke(name, request);
      },
    };
    const deps = { ...under(world, 'ring taint'), clock, functions } as never;
    await taintKey(deps, { kid, class: 'compromise', reason: 'drill', direct: true }, progress);

    const { drainSeconds, feedPollSeconds } = (await ringOf(world)).cfg;
    const CALLS: Readonly<Record<EndingStepName, readonly string[]>> = {
      prepare: ['rotator prepare'],
      taint: ['taint taint', 'publisher'],
      'disable-compromised': ['rotator disable-old'],
      drain: [`sleep ${drainSeconds}`],
      'disable-old': ['rotator disable-old'],
      commit: ['committer'],
      poll: [`sleep ${feedPollSeconds}`],
      resign: ['resigner 1'],
      'resign-again': ['resigner 2'],
      deny: ['taint deny', 'publisher'],
      'commit-again': ['committer'],
    };
    // First the case is asked for, so that somebody ends what is cut short here.
    expect(calls).toEqual(['taint-opener', ...ENDING.flatMap(({ name }) => CALLS[name])]);
    // And a departure takes the same ones, in the same order, with nothing of its own between taint and denial but the items.
    const ofDeparture = STEPS.filter(({ onlyIfTainted }) => onlyIfTainted).map(({ name }) => name);
    expect(ofDeparture).toEqual(ENDING.map(({ name }) => name));
  });

  test('asked again of a key that is DENIED, it changes nothing and says so', async () => {
    const kid = await active();
    await run(kid);
    const before = await states();
    expect(await run(kid)).toMatchObject({ json: { kid, state: 'DENIED', resigned: 0 }, exitCode: 0 });
    expect(await states()).toEqual(before);
  });

  test('planned, while holders may still collect: it says that it is not over', async () => {
    world = await signingWorld({ settings: { propagationSeconds: 10, verifierCacheSeconds: 60 } });
    const kid = await active();
    expect(await run(kid, 'planned')).toMatchObject({ json: { kid, state: 'SUSPECT' }, exitCode: 1 });
    expect(said.at(-1)).toBe(
      'holders may collect until collectGraceSeconds is over; if no case is open, run the command again then',
    );
    world.clock.advance(86_400);
    expect(await run(kid, 'planned')).toMatchObject({ json: { kid, state: 'DENIED' }, exitCode: 0 });
  });

  test.each(['', 'nobody', 'a b', '../HEAD', 'x'.repeat(65)])(
    'a kid that no ring has, %j, changes nothing',
    async (kid) => {
      const before = tables();
      await expect(run(kid)).rejects.toMatchObject({
        code: 'ERR_NOT_FOUND',
        message: 'no ring has a key with this kid',
        got: kid,
        fix: 'give the kid as `curfew ring show RING` has it, whole or its first 6 characters or more',
      });
      expect(tables()).toBe(before);
    },
  );

  test('a STANDBY is RETIRED: it leaves the JWKS, no token is touched, and another is born; asked again it says so', async () => {
    const verifier = await verifierOf(world);
    const token = await issueTo(world, 'member-1');
    const standby = (await ringOf(world)).keys.find(({ state }) => state === 'STANDBY')?.kid ?? '';
    const issuing = await active();
    const answer = {
      json: { ring: RING, kid: standby, state: 'RETIRED', kms: 'Disabled', resigned: 0 },
      text: `${standby} RETIRED: a STANDBY, so no token is touched; another takes its place`,
      exitCode: 0,
    };
    expect(await run(standby)).toEqual(answer);
    expect(await run(standby)).toEqual(answer);
    expect(said.some((line) => line.startsWith('prepared'))).toBe(false);
    expect(await active()).toBe(issuing);
    expect((await states()).sort()).toEqual(['ACTIVE', 'PEM OBSERVED', 'RETIRED', 'STANDBY', 'STANDBY']);
    const { body } = await world.http.get(`${world.config.publicBaseUrl}/r/${RING}/.well-known/jwks.json`);
    expect(body).not.toContain(standby);
    expect(await verdict(verifier, token)).toBe('accepted');
  });

  test('a key whose tokens are over is refused before anything is prepared for it', async () => {
    const kid = await active();
    await rotateRing(under(world, 'ring rotate'), { ring: RING, reason: 'x' }, progress);
    world.clock.advance(86_400);
    await rotate({ op: 'tick', ring: RING }, world.deps('rotator'));
    expect((await ringOf(world)).keys.find((key) => key.kid === kid)?.state).toBe('RETIRED');
    const before = tables();
    await expect(run(kid)).rejects.toMatchObject({
      code: 'ERR_KEY_STATE',
      message: `key ${kid} of ring ${RING} has no token that a taint could end`,
      got: 'RETIRED',
      fix: 'nothing to do: its last token has expired',
    });
    expect(tables()).toBe(before);
  });

  test('with no STANDBY left, the refusal names what stops the ring meanwhile', async () => {
    for (let n = 0; n < 2; n++) await run(await active());
    const before = await states();
    await expect(run(await active())).rejects.toMatchObject({
      code: 'ERR_NO_SUCCESSOR',
      fix: expect.stringContaining(`\`curfew ring halt ${RING}\``),
    });
    expect(await states()).toEqual(before);
  });
});

describe('ring halt and resume', () => {
  const run = (op: 'halt' | 'resume') =>
    switchIssuing(under(world, `ring ${op}`), { op, ring: RING, reason: 'CHG-10' });

  test('a halted ring issues nothing, its tokens stay good, and it issues again', async () => {
    const verifier = await verifierOf(world);
    const token = await issueTo(world, 'member-1');
    expect(await run('halt')).toMatchObject({
      json: { ring: RING, halted: true },
      text: `${RING} is halted: nothing is issued; what was issued goes on being good`,
      exitCode: 0,
    });
    await expect(issueTo(world, 'member-1')).rejects.toMatchObject({ code: 'ERR_RING_HALTED' });
    expect(await verdict(verifier, token)).toBe('accepted');
    expect((await run('halt')).text).toMatch(/was halted already/);
    expect(await run('resume')).toMatchObject({
      json: { halted: false },
      text: `${RING} issues again, under ${await active()}`,
    });
    expect(await verdict(verifier, await issueTo(world, 'member-1'))).toBe('accepted');
    expect((await run('resume')).text).toMatch(/was not halted/);
  });

  test.each(['', 'Customer', 'x', 'a/b'])('%j is no ring id, and is refused before anything is asked', async (ring) => {
    await expect(switchIssuing(under(world, 'ring halt'), { op: 'halt', ring, reason: 'x' })).rejects.toMatchObject({
      code: 'ERR_INPUT_INVALID',
      message: 'the ring id has the wrong form',
      got: ring,
      fix: '`curfew ring list` shows the ring ids',
    });
  });
});
