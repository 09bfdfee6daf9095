/** The doctor under exactly the rights of its row in `lib/domain/deployment/access.ts`, at a ring in memory. */
import type { CommandPorts } from '../../bin/commands/command';
import { examine } from '../../bin/commands/doctor';
import { type Looks, see } from '../../bin/commands/looks';
import { rotate } from '../../lambdas/rotator';
import { CurfewError } from '../../lib/domain/base/errors';
import { COMMAND_RIGHTS } from '../../lib/domain/deployment/access';
import { discoveryUrlOf } from '../../lib/domain/feed/publication';
import type { Finding } from '../../lib/domain/health/finding';
import {
  calmly,
  ISSUER,
  issueTo,
  pass,
  RING,
  ringOf,
  type SigningWorld,
  signingWorld,
  taintKeys,
} from '../scenarios/signing-world';
import { looksAt } from '../support/looks';

let world: SigningWorld;
beforeEach(async () => {
  world = await signingWorld({}, calmly);
  await world.functions.invoke('publisher', { ring: RING });
});
const deps = (more: object = {}) =>
  ({
    clock: world.clock,
    http: world.http,
    tables: world.tables.restricted(COMMAND_RIGHTS.doctor as readonly string[]),
    ...more,
  }) as unknown as CommandPorts<'doctor'>;
const findingsOf = (json: unknown) => (json as { findings: Finding[] }).findings;
const notOk = async (looks = looksAt(world)) => {
  const { json, exitCode } = await examine(deps(), looks);
  const rows = findingsOf(json).filter(({ state }) => state !== 'ok');
  return { exitCode, rows: rows.map(({ of, check, state }) => `${of} ${check} ${state}`) };
};
const EXPECTED = [`${RING} verifiers problem`];

test('a ring that was just born: no verifier was declared, the rest is as it should be', async () => {
  const { text, exitCode } = await examine(deps(), looksAt(world));
  expect(await notOk()).toEqual({ exitCode: 1, rows: EXPECTED });
  expect([exitCode, text.split('\n').at(-1)]).toEqual([1, '24 ok, 1 problem, 0 unknown']);
  expect(text).toMatch(
    /^customer-api\n(?: .*\n)* {2}problem {2}verifiers +none declared: .*\n +fix: declare the services/m,
  );
});

test('no line is wider than the terminal, but for a URL; a wide one has each row in one line', async () => {
  world.http.route(discoveryUrlOf(ISSUER), () => ({ status: 404, body: '' }));
  const lines = async (width?: number) => (await examine(deps(), looksAt(world), width)).text.split('\n');
  const wide = (await lines()).filter((line) => line.length > 80);
  expect(wide.filter((line) => !/^ *https:\S+$/.test(line))).toEqual([]);
  expect((await lines(70)).some((line) => line.length > 70 && !line.includes('https:'))).toBe(false);
  expect((await lines(400)).filter((line) => /^ {9}/.test(line) && !line.includes('fix: '))).toEqual([]);
});

test('it stays so through a rotation, and while the old key drains', async () => {
  await rotate(
    { op: 'rotate', ring: RING, from: (await ringOf(world)).activeKid ?? '', reason: 'x' },
    world.deps('rotator'),
  );
  expect((await notOk()).rows).toEqual(EXPECTED);
});

test('the alarms are asked for by name: those of the instance and of each ring, and no other', async () => {
  let asked: readonly string[] = [];
  const alarms: Looks['alarms'] = async (names) => {
    asked = names;
    return { seen: [] };
  };
  const { json } = await examine(deps(), looksAt(world, { alarms }));
  expect(asked).toEqual(expect.arrayContaining([`curfew-example-${RING}-FeedAge`, 'curfew-example-SignErrors']));
  const rows = findingsOf(json).filter(({ check }) => check.startsWith('alarm'));
  expect(rows.map(({ check, state, found }) => [check, state, found])).toEqual([
    ['alarms', 'problem', expect.stringContaining(`of ${asked.length} missing: ${RING}-ActiveKeyAge`)],
    ['alarm actions', 'problem', `${asked.length} of ${asked.length} alarms have no action`],
  ]);
});

test('a key enabled behind our back, a policy changed, a feed gone stale: each is seen', async () => {
  const [standby, other] = (await ringOf(world)).keys.filter(({ state }) => state === 'STANDBY');
  world.kms.override(standby?.kmsKeyArn ?? '', { state: 'Enabled' });
  world.kms.override(other?.kmsKeyArn ?? '', { policy: '{"Version":"2012-10-17","Statement":[]}' });
  world.kms.override(standby?.kmsKeyArn ?? '', { grants: ['g-1'] });
  world.clock.advance(200);
  expect(await notOk()).toEqual({
    exitCode: 1,
    rows: [
      `${RING} keys in KMS problem`,
      // Under such a policy nobody may look.
      `${RING} key policies unknown`,
      `${RING} KMS grants problem`,
      `${RING} feed problem`,
      ...EXPECTED,
    ],
  });
});

test('kms.stale: a host that answers as before a change is asked again, and one answer is no problem', async () => {
  const looks = looksAt(world);
  const [standby] = (await ringOf(world)).keys.filter(({ state }) => state === 'STANDBY');
  let stale = 2;
  const kmsKey: Looks['kmsKey'] = async (arn) => {
    const seen = await looks.kmsKey(arn);
    return arn === standby?.kmsKeyArn && stale-- > 0 ? { ...seen, state: { seen: 'Enabled' } } : seen;
  };
  expect((await notOk({ ...looks, kmsKey })).rows).toEqual(EXPECTED);
  stale = 3;
  expect((await notOk({ ...looks, kmsKey })).rows).toEqual([`${RING} keys in KMS problem`, ...EXPECTED]);
});

test('the feed is judged as a verifier judges it: of another key it is refused', async () => {
  const feedKeyArn = world.kms.createKey({ algorithm: 'ES256', policy: '{}' });
  const other = looksAt(Object.assign(Object.create(world), { config: { ...world.config, feedKeyArn } }));
  const { json } = await examine(deps(), other);
  expect(findingsOf(json).find(({ check }) => check === 'feed')).toMatchObject({
    state: 'problem',
    found: 'verifiers refuse it: the feed is not signed by a pinned feed key',
  });
});

test('what does not answer is a problem where verifiers ask, and unknown where only we do', async () => {
  const down = { get: async () => Promise.reject(new CurfewError('ERR_UNAVAILABLE', 'nothing answered')) };
  const { json } = await examine(deps({ http: down }), looksAt(world));
  const states = findingsOf(json).filter(({ check }) => ['JWKS', 'discovery', 'feed'].includes(check));
  expect(states.map(({ check, state, found }) => [check, state, found])).toEqual([
    ['JWKS', 'problem', 'nothing answered'],
    ['discovery', 'problem', 'nothing answered'],
    ['feed', 'problem', 'verifiers refuse it: nothing answered'],
  ]);
  const denied = () => Promise.resolve({ unseen: 'AccessDenied' });
  const { json: blind } = await examine(deps(), looksAt(world, { feedKey: denied, people: denied, alarms: denied }));
  const unknown = findingsOf(blind).filter(({ state }) => state === 'unknown');
  expect(unknown.map(({ check }) => check)).toEqual(['feed', 'people', 'alarms', 'alarm actions']);
});

test('discovery is fetched where a client looks, at iss, and its jwks_uri is followed', async () => {
  const discoveryRow = async () =>
    findingsOf((await examine(deps(), looksAt(world))).json).find(({ check }) => check === 'discovery');
  expect(await discoveryRow()).toMatchObject({ state: 'ok' });
  const other = { issuer: ISSUER, jwks_uri: 'https://id.shop.example/keys' };
  world.http.route(discoveryUrlOf(ISSUER), () => ({ status: 200, body: JSON.stringify(other) }));
  expect(await discoveryRow()).toMatchObject({ state: 'problem', found: expect.stringContaining(other.jwks_uri) });
  world.http.route(other.jwks_uri, () => world.http.get(`https://curfew.test/r/${RING}/.well-known/jwks.json`));
  expect(await discoveryRow()).toMatchObject({ state: 'ok' });
  world.http.route(discoveryUrlOf(ISSUER), () => ({ status: 404, body: '' }));
  expect(await discoveryRow()).toMatchObject({ state: 'unknown', found: expect.stringContaining('answers 404') });
});

test('a wave that was left alone is a problem, and ok when it has gone on', async () => {
  const kid = (await ringOf(world)).activeKid ?? '';
  await issueTo(world, 'member-1');
  const rows = async () =>
    findingsOf((await examine(deps(), looksAt(world))).json).filter(({ check }) => check === 'waves');
  const { batches } = await taintKeys(world, [{ kid, class: 'planned', reason: 'CHG-9' }], 'c-9');
  world.clock.advance(1200);
  expect(await rows()).toMatchObject([
    { state: 'problem', found: expect.stringContaining(`${kid.slice(0, 8)} is SUSPECT (planned, for c-9)`) },
  ]);
  await pass(world, batches, 1);
  await pass(world, batches, 2);
  expect(await rows()).toMatchObject([{ state: 'ok', found: expect.stringContaining('all 64 shards re-signed') }]);
});

test('a ring that changes while it is looked at is looked at again', async () => {
  const looks = looksAt(world);
  let changed = 0;
  const watchedAt: typeof looks.watchedAt = async (ring, now) => {
    const { activeKid = '' } = await ringOf(world);
    if (changed++ === 0)
      await rotate({ op: 'rotate', ring, from: activeKid, reason: 'meanwhile' }, world.deps('rotator'));
    return { seen: now };
  };
  expect(await notOk({ ...looks, watchedAt })).toEqual({ exitCode: 1, rows: EXPECTED });
  expect(changed).toBe(2);
});

test('without the signing stack the rings are unknown, and the rest is told', async () => {
  const looks = looksAt(world, {
    stacks: { evidence: 'CREATE_COMPLETE', signing: undefined, offboarding: undefined },
    people: () => see(() => Promise.reject(new CurfewError('ERR_NOT_FOUND', 'no output', { got: 'TablePeopleName' }))),
  });
  const { json, exitCode } = await examine(deps(), looks);
  expect(exitCode).toBe(1);
  expect(
    findingsOf(json)
      .filter(({ state }) => state !== 'ok')
      .map(({ check, found }) => [check, found]),
  ).toEqual([
    ['stack signing', 'not deployed'],
    ['stack offboarding', 'not deployed'],
    ['rings', 'could not read the Keys table: there is no signing stack'],
    ['people', 'TablePeopleName'],
    ['alarms', 'the list of rings could not be read'],
    ['alarm actions', 'the list of rings could not be read'],
  ]);
});

test('kms.lockout: where no ring was born, the birth of a usual key is simulated: it may be why', async () => {
  const asked: string[] = [];
  const birth: Looks['birth'] = async (keySpec) => {
    asked.push(keySpec);
    return { seen: { allowed: false, organizationDenies: true, deniesBypassOnly: true, missing: [] } };
  };
  const { json } = await examine(deps({ tables: { query: async () => [] } }), looksAt(world, { birth }));
  expect(asked).toEqual(['ECC_NIST_P256']);
  expect(findingsOf(json).filter(({ check }) => ['rings', 'birth of keys'].includes(check))).toMatchObject([
    { state: 'problem', found: 'none' },
    { state: 'problem', found: expect.stringContaining('BypassPolicyLockoutSafetyCheck') },
  ]);
});

test('an instance with nothing wrong ends with 0', async () => {
  const { activeKid } = await ringOf(world);
  await world.tables.transact([
    {
      kind: 'update',
      table: 'keys',
      key: { pk: `RING#${RING}`, sk: 'HEAD' },
      set: { cfg: { ...(await ringOf(world)).cfg, verifiers: [{ name: 'checkout', cacheSeconds: 60 }] } as never },
    },
  ]);
  const { exitCode, text } = await examine(deps(), looksAt(world));
  expect([exitCode, text.split('\n').at(-1)]).toEqual([0, '25 ok, 0 problems, 0 unknown']);
  expect(text).toContain(activeKid?.slice(0, 8));
});

test('a row that nobody can read is a problem, named by table, shape and member, and ends with 1', async () => {
  const key = { pk: `RING#${RING}`, sk: 'HEAD' };
  await world.tables.transact([{ kind: 'update', table: 'keys', key, set: { addedLater: 1 } }]);
  const { json, exitCode } = await examine(deps(), looksAt(world));
  const found = 'table keys has a head of a ring that cannot be read: addedLater is not a member of this version';
  expect(exitCode).toBe(1);
  expect(findingsOf(json).filter(({ state }) => state === 'problem')).toEqual([
    { of: 'instance', check: 'rings', state: 'problem', found, fix: expect.stringContaining('who wrote the row') },
  ]);
});
