/** Each guard is needed: the same world without it violates a named invariant. A guard that nothing misses is not one. */
import type { RotationAction } from '../../lib/domain/keys/rotation';
import type { Write } from '../../lib/domain/table';

const PERIOD = 30 * 86_400;
type Changed = (actual: Record<string, unknown>) => Record<string, unknown>;

/** Everything a scenario needs, loaded anew with some exports of some modules of lib changed. */
async function without(changes: Readonly<Record<string, Changed>>) {
  let loaded: Awaited<ReturnType<typeof load>> | undefined;
  await jest.isolateModulesAsync(async () => {
    for (const [path, change] of Object.entries(changes))
      jest.doMock(path, () => ({ ...jest.requireActual(path), ...change(jest.requireActual(path)) }));
    loaded = await load();
  });
  for (const path of Object.keys(changes)) jest.dontMock(path);
  return loaded as Awaited<ReturnType<typeof load>>;
}

async function load() {
  return {
    ...(await import('./signing-world')),
    ...(await import('../support/ring-invariants')),
    transitions: await import('../../lib/domain/keys/transitions'),
    ...(await import('../../lambdas/keys/rotator')),
    ...(await import('../../lambdas/keys/taint')),
    ...(await import('../../lambdas/tokens/committer')),
    ...(await import('../../lambdas/tokens/exchange')),
  };
}
type Loaded = Awaited<ReturnType<typeof load>>;
type World = Awaited<ReturnType<Loaded['signingWorld']>>;

const ROTATION = '../../lib/domain/keys/rotation';
const TRANSITIONS = '../../lib/domain/keys/transitions';
const KEY_POLICY = '../../lib/domain/keys/key-policy';
const PUBLICATION = '../../lib/domain/keys/publication';
const ELIGIBILITY = '../../lib/domain/tokens/eligibility';
const LEDGER = '../../lib/domain/tokens/ledger';

type Plan = (...given: readonly unknown[]) => RotationAction | undefined;
type Make = (...given: readonly unknown[]) => Write[];

/** A plan that never thinks of this. */
const forgetting =
  (what: RotationAction['do']): Changed =>
  ({ planRotation }) => ({
    planRotation: (...given: readonly unknown[]) => {
      const action = (planRotation as Plan)(...given);
      return action?.do === what ? undefined : action;
    },
  });

/** Transitions whose writes have no conditions. */
const unconditional =
  (...names: readonly string[]): Changed =>
  (actual) =>
    Object.fromEntries(
      names.map((name) => [
        name,
        (...given: readonly unknown[]) =>
          (actual[name] as Make)(...given).map((write) => ({ ...write, if: undefined })),
      ]),
    );

async function rotated({ rotate, RING }: Loaded, world: World): Promise<void> {
  world.clock.advance(PERIOD);
  await rotate({ op: 'tick', ring: RING }, world.deps('rotator'));
  world.clock.advance(301);
  await rotate({ op: 'tick', ring: RING }, world.deps('rotator'));
}

describe('without it', () => {
  const cases: [string, Record<string, Changed>, (loaded: Loaded, world: World) => Promise<void>, string][] = [
    [
      'disabling in the plan',
      { [ROTATION]: forgetting('disable') },
      rotated,
      'KMS is not enabled for a VERIFY_ONLY key for long',
    ],
    ['reserving in the plan, after birth', { [ROTATION]: forgettingAfterBirth() }, rotated, 'two STANDBYs stand by'],
    [
      'the dead man’s statement',
      {
        [KEY_POLICY]: ({ keyPolicy }) => ({
          keyPolicy: (given: unknown) => withoutStatement((keyPolicy as (given: unknown) => string)(given), 'DeadMan'),
        }),
      },
      async (_loaded, world) => world.clock.advance(4 * PERIOD),
      'past signUntil nothing signs',
    ],
    [
      'the clock in the JWKS',
      {
        [PUBLICATION]: () => ({
          jwksAt: (ring: { keys: { jwk: unknown }[] }) => ({ keys: ring.keys.map(({ jwk }) => jwk) }),
        }),
      },
      async (_loaded, world) => world.clock.advance(4 * PERIOD),
      'past verifyUntil nothing is in the JWKS',
    ],
    [
      'the fence and the state of a transition',
      { [TRANSITIONS]: unconditional('activate') },
      async ({ rotate, taintOrDeny, ringOf, transitions, RING }, world) => {
        const { activeKid: kid = '' } = await ringOf(world);
        const { kid: successor = '' } = await rotate({ op: 'prepare', ring: RING }, world.deps('rotator'));
        const late = transitions.activate(await ringOf(world), successor, world.clock.now());
        await taintOrDeny(
          { op: 'taint', ring: RING, targets: [{ kid, class: 'compromise', reason: 'test' }], successor },
          world.deps('taint'),
        );
        await world.tables
          .transact(late)
          .catch((error) => expect(error).toMatchObject({ code: 'ERR_CONDITION_FAILED' }));
        world.clock.advance(301);
        await rotate({ op: 'tick', ring: RING }, world.deps('rotator'));
      },
      'a tainted key stays SUSPECT or DENIED',
    ],
  ];

  test.each(cases)('%s', async (_guard, changes, life, sentence) => {
    const kept = await without({});
    const sound = await kept.signingWorld();
    await life(kept, sound);
    const afterwards = [
      ...(await kept.alwaysViolated(sound)),
      ...(sentence.startsWith('past') ? [] : await kept.settledViolated(sound)),
    ];
    expect(afterwards).toEqual([]);

    const loaded = await without(changes);
    const world = await loaded.signingWorld();
    await life(loaded, world);
    expect([...(await loaded.alwaysViolated(world)), ...(await loaded.settledViolated(world))]).toContain(sentence);
  });

  function forgettingAfterBirth(): Changed {
    return ({ planRotation }) => ({
      planRotation: (ring: { slots: readonly unknown[] }, ...given: readonly unknown[]) => {
        const action = (planRotation as Plan)(ring, ...given);
        return action?.do === 'reserve' && ring.slots.length >= 3 ? undefined : action;
      },
    });
  }

  function withoutStatement(policy: string, sid: string): string {
    const parsed = JSON.parse(policy) as { Statement: { Sid: string }[] };
    return JSON.stringify({ ...parsed, Statement: parsed.Statement.filter(({ Sid }) => Sid !== sid) });
  }
});

describe('of a wave, without it', () => {
  /** A token recorded behind our back, and two of other issuers with one jti; what a wave then mints and gives away. */
  async function waveOf(loaded: Loaded) {
    const { signingWorld, signLegacy, legacyClaims, record, commitIssued, taintKeys, pass } = loaded;
    const world = await signingWorld();
    const planted = signLegacy(world, legacyClaims(world, 'ghost', 'planted'));
    await record(world, [planted]);
    for (const { pk, sk } of world.tables.dump('issued'))
      await world.tables.transact([{ kind: 'delete', table: 'issued', key: { pk, sk } }]);
    await commitIssued({}, world.deps('committer'));
    const { batches } = await taintKeys(world, [{ kid: world.legacy.jwk.kid, class: 'compromise', reason: 'test' }]);
    return pass(world, batches, 1);
  }

  test('the committed lists, a row planted in the ledger becomes a genuine token', async () => {
    expect(await waveOf(await without({}))).toEqual({ found: 0, resigned: 0 });
    const everything = { [ELIGIBILITY]: () => ({ excludedRow: () => undefined }) };
    expect(await waveOf(await without(everything))).toEqual({ found: 1, resigned: 1 });
  });

  /** Alice's and Bob's issuers both counted to 42; Alice is re-signed, then Bob asks. */
  async function bobGets(loaded: Loaded): Promise<string | undefined> {
    const {
      signingWorld,
      signLegacy,
      legacyClaims,
      record,
      commitIssued,
      taintKeys,
      pass,
      exchange,
      RING,
      bear,
      ISSUER,
      AUDIENCE,
    } = loaded;
    const world = await signingWorld();
    const other = await signingWorld();
    const bobs = Object.assign(Object.create(world), { legacy: other.legacy }) as World;
    const legacyKeys = [world.legacy, other.legacy].map(({ jwk }) => ({
      jwk,
      verifyUntil: world.clock.now() + 86_400,
      approver: 'CHG-7',
    }));
    await bear(
      {
        id: RING,
        issuer: ISSUER,
        audience: AUDIENCE,
        algorithm: 'ES256',
        periodSeconds: PERIOD,
        maxTtlSeconds: 3600,
        legacyKeys,
      },
      world.deps('rotator'),
    );
    const [alice, bob] = [
      signLegacy(world, legacyClaims(world, 'alice', '42')),
      signLegacy(bobs, legacyClaims(world, 'bob', '42')),
    ];
    await record(world, [alice, bob]);
    await commitIssued({}, world.deps('committer'));
    const kids = [world.legacy.jwk.kid, other.legacy.jwk.kid];
    const { batches } = await taintKeys(
      world,
      kids.map((kid) => ({ kid, class: 'compromise' as const, reason: 'test' })),
    );
    await pass(
      world,
      batches.filter(({ fromKid }) => fromKid === world.legacy.jwk.kid),
      1,
    );
    world.clock.advance(10);
    const form = new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: bob,
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    });
    const answer = await exchange(RING, form.toString(), world.deps('exchange')).catch(() => undefined);
    const payload = (answer as { access_token: string } | undefined)?.access_token.split('.')[1];
    return payload && (JSON.parse(Buffer.from(payload, 'base64url').toString()) as { sub: string }).sub;
  }

  test('the payload digest, a holder is given the token of another member', async () => {
    expect(await bobGets(await without({}))).toBeUndefined();
    expect(await bobGets(await without({ [LEDGER]: () => ({ isVersionOf: () => true }) }))).toBe('alice');
  });
});
