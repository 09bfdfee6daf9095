/** An issuer stays right while the ring turns under it, and does not read the ring for every token. */

import { issue } from '../../lambdas/issuer';
import { rotate } from '../../lambdas/rotator';
import { parseCompact } from '../../lib/domain/jose/compact';
import { activeKey } from '../../lib/domain/rings/ring';
import { GATES, RING_HEAD } from '../../lib/domain/store/ring-head';
import { RING, ringOf, type SigningWorld, signingWorld } from '../scenarios/signing-world';

const request = {
  op: 'issue',
  ring: RING,
  claims: { sub: 'member-1', client_id: 'web' },
  callerArn: 'arn:test',
} as const;
const kidOf = (token: string) => parseCompact(token).header.kid;
const rotateNow = async (world: SigningWorld) =>
  rotate(
    { op: 'rotate', ring: RING, from: (await ringOf(world)).activeKid ?? '', reason: 'test' },
    world.deps('rotator'),
  );

/** The ports of one warm issuer, with what happens right after each of its signatures. */
function warm(world: SigningWorld, afterSign: (n: number) => Promise<unknown> = async () => undefined) {
  const deps = world.deps('issuer');
  let signatures = 0;
  const sign: typeof deps.signer.sign = async (...given) => {
    const signature = await deps.signer.sign(...given);
    await afterSign(++signatures);
    return signature;
  };
  return { ...deps, signer: { ...deps.signer, sign } };
}

test('a ring that turns between the signature and the row: the caller gets a token under the new key, and nothing is left of the old one', async () => {
  const world = await signingWorld();
  const { token } = await issue(
    request,
    warm(world, async (n) => n === 1 && rotateNow(world)),
  );
  expect(kidOf(token)).toBe((await ringOf(world)).activeKid);
  expect(world.tables.dump('ledger')).toHaveLength(1);
  expect(
    world.tables
      .dump('bodies')
      .map(({ state }) => state)
      .sort(),
  ).toEqual(['INTENT', 'SIGNED']);
});

test('two rotations within one request are served, a third is the caller’s to try again', async () => {
  const world = await signingWorld();
  const { token } = await issue(
    request,
    warm(world, async (n) => n <= 2 && rotateNow(world)),
  );
  expect(kidOf(token)).toBe((await ringOf(world)).activeKid);

  world.clock.advance(3600);
  await rotate({ op: 'tick', ring: RING }, world.deps('rotator'));
  world.clock.advance(70);
  const turning = warm(world, async () => {
    await rotateNow(world);
    world.clock.advance(70);
  });
  await expect(issue(request, turning)).rejects.toMatchObject({
    code: 'ERR_KEY_STATE',
    message: `ring ${RING} activated another key during this request`,
  });
});

test('a warm issuer reads the ring once in two seconds, and what it kept does no harm', async () => {
  const world = await signingWorld();
  const deps = warm(world);
  let reads = 0;
  const get: typeof deps.tables.get = async (...given) => {
    reads += (given[0] as unknown) === RING_HEAD ? 1 : 0;
    return deps.tables.get(...given);
  };
  // `transact` stays that of the twin: only the reads are counted.
  const counting = { ...deps, tables: Object.assign(Object.create(deps.tables), { get }) as typeof deps.tables };
  for (let n = 0; n < 5; n++) await issue(request, counting);
  expect(reads).toBe(1);
  world.clock.advance(2);
  await issue(request, counting);
  expect(reads).toBe(2);

  await rotateNow(world);
  const { token } = await issue(request, counting);
  expect(kidOf(token)).toBe((await ringOf(world)).activeKid);
});

test('no single item is tested by every issuance, and every gate says what HEAD says, whatever happened', async () => {
  const world = await signingWorld();
  const deps = warm(world);
  const tested = new Set<string>();
  const transact: typeof deps.tables.transact = async (writes) => {
    for (const write of writes) if (write.kind === 'check' && write.table === 'keys') tested.add(write.key.pk);
    return deps.tables.transact(writes);
  };
  const counting = { ...deps, tables: Object.assign(Object.create(deps.tables), { transact }) as typeof deps.tables };
  for (let n = 0; n < 200; n++) await issue(request, counting);
  expect(tested.size).toBe(GATES);

  await rotateNow(world);
  const ring = await ringOf(world);
  const gates = world.tables.dump('keys').filter(({ pk }) => pk.startsWith('GATE#'));
  expect(gates).toHaveLength(GATES);
  for (const gate of gates) expect(gate).toMatchObject({ activeKid: activeKey(ring)?.kid, halted: false });
});
