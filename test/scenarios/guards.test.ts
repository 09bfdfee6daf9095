/** Each guard of a wave is needed: without it the same world mints what nobody issued. Those of rotation: support/model. */
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
    ...(await import('../../lambdas/rotator')),
    ...(await import('../../lambdas/ring-deployer')),
    ...(await import('../../lambdas/taint')),
    ...(await import('../../lambdas/committer')),
    ...(await import('../../lambdas/exchange')),
  };
}
type Loaded = Awaited<ReturnType<typeof load>>;
type World = Awaited<ReturnType<Loaded['signingWorld']>>;

const ELIGIBILITY = '../../lib/domain/tokens/eligibility';
const LEDGER = '../../lib/domain/tokens/ledger';

describe('of a wave, without it', () => {
  /** A token recorded behind our back, and two of other issuers with one jti; what a wave then mints and gives away. */
  async function waveOf(loaded: Loaded) {
    const { signingWorld, signLegacy, legacyClaims, record, commitIssued, taintKeys, pass } = loaded;
    const world = await signingWorld();
    const planted = signLegacy(world, legacyClaims(world, 'ghost', 'planted'));
    await record(world, [planted]);
    for (const { pk, sk } of world.tables.dump('markers'))
      await world.tables.transact([{ kind: 'delete', table: 'markers', key: { pk, sk } }]);
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
      applyRingConfig,
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
    await applyRingConfig(
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
