/** Kids as people give them: whole or abbreviated, however they begin, under the rights of the command that takes them. */
import type { CommandPorts } from '../../bin/commands/command';
import { findKeyByKid, KID_CHARACTERS_MIN } from '../../bin/commands/kid';
import { taintKey } from '../../bin/commands/ring-taint';
import { parseArguments } from '../../bin/edge/arguments';
import { applyRingConfig } from '../../lambdas/ring-deployer';
import { COMMAND_RIGHTS } from '../../lib/domain/deployment/access';
import { World } from '../../lib/local/world';
import { AUDIENCE, ISSUER, NOW, ringOf, SETTINGS, wire } from '../scenarios/signing-world';
import { ODD_KIDS, type OddKid, oddKey, signingKey } from '../support/keys';

const BEGINNINGS = Object.keys(ODD_KIDS) as OddKid[];
const oddKid = (begins: OddKid) => oddKey(begins).jwk.kid;
/** A JWK that came with a kid of its own keeps it: two that begin alike, one that begins as another one goes on, a short one. */
const NAMED = ['partner-2024', 'partner-2025', 'partner', '2019'];

let world: World;
let deps: CommandPorts<'ring taint'>;
beforeEach(async () => {
  world = wire(new World({ now: NOW, settings: SETTINGS }));
  const named = NAMED.map((kid) => ({ ...signingKey().jwk, kid }));
  await bear('customer-api', [...BEGINNINGS.map((begins) => oddKey(begins).jwk), ...named.slice(1)]);
  await bear('partners', named.slice(0, 1));
  const rights: readonly string[] = COMMAND_RIGHTS['ring taint'];
  deps = {
    clock: world.clock,
    tables: world.tables.restricted(rights),
    functions: world.functions.restricted(rights),
  } as unknown as CommandPorts<'ring taint'>;
});

async function bear(id: string, jwks: readonly object[]): Promise<void> {
  const legacyKeys = jwks.map((jwk) => ({ jwk, verifyUntil: NOW + 90 * 86_400, approver: 'CHG-7' }));
  const config = { id, issuer: `${ISSUER}/${id}`, audience: AUDIENCE, algorithm: 'ES256', periodSeconds: 30 * 86_400 };
  await applyRingConfig({ ...config, maxTtlSeconds: 3600, legacyKeys }, world.deps('rotator'));
}

const found = async (given: string) => {
  const { ring, key } = await findKeyByKid(given, deps);
  return [ring.id, key.kid];
};

test.each(BEGINNINGS)('a kid that begins with %s is found whole and by its first characters', async (begins) => {
  const kid = oddKid(begins);
  for (const length of [kid.length, kid.length - 1, 12, KID_CHARACTERS_MIN])
    expect([length, await found(kid.slice(0, length))]).toEqual([length, ['customer-api', kid]]);
});

test.each(BEGINNINGS)(
  '`ring taint` takes a kid that begins with %s from the command line, and ends that key',
  async (begins) => {
    const kid = oddKid(begins);
    const line = ['ring', 'taint', kid.slice(0, 8), '--class', 'planned', '--reason', '-', '--instance', 'example'];
    const { values, positionals } = parseArguments(line);
    expect(values).toEqual({ class: 'planned', reason: '-', instance: 'example' });
    const said: string[] = [];
    const request = { kid: positionals[2] ?? '', class: 'planned', reason: 'CHG-9', direct: true } as const;
    const { json } = await taintKey(deps, request, (line) => said.push(line));
    expect(said[0]).toBe(`${kid.slice(0, 8)} is ${kid} of ring customer-api`);
    expect(json).toMatchObject({ ring: 'customer-api', kid, state: 'DENIED', kms: 'not in KMS' });
    const tainted = (await ringOf(world)).keys.filter(({ taint }) => taint !== undefined);
    expect(tainted.map((key) => key.kid)).toEqual([kid]);
  },
);

test('whole is whole, also where others go on from there, and where it is shorter than an abbreviation may be', async () => {
  expect(await found('partner')).toEqual(['customer-api', 'partner']);
  expect(await found('2019')).toEqual(['customer-api', '2019']);
});

test('what several keys begin with is one error that names them, whichever ring they are of', async () => {
  const before = JSON.stringify(world.tables.dump('keys'));
  for (const given of ['partner-', 'partner-202'])
    await expect(taintKey(deps, { kid: given, class: 'planned', reason: 'x' }, () => undefined)).rejects.toMatchObject({
      code: 'ERR_INPUT_INVALID',
      message: '2 keys have a kid that begins so',
      got: given,
      allowed: ['partner-2024 (OBSERVED in ring partners)', 'partner-2025 (OBSERVED in ring customer-api)'],
      fix: 'give more characters of the kid',
    });
  expect(JSON.stringify(world.tables.dump('keys'))).toBe(before);
});

test.each(['p', '-', 'partn', '20', '201'])(
  '%j is too short, and says how many characters are needed',
  async (given) => {
    await expect(found(given)).rejects.toMatchObject({
      code: 'ERR_INPUT_INVALID',
      message: 'the short kid has fewer than 6 characters',
      got: given,
      allowed: 'the kid whole, or its first 6 characters or more',
      fix: `give ${6 - given.length} more, as \`curfew ring show RING\` has them`,
    });
  },
);

test.each(['', 'nobody', 'a b', 'partner-*', '../HEAD', 'PARTNER-2024', 'x'.repeat(65)])(
  '%j is the beginning of no kid',
  async (given) => {
    await expect(found(given)).rejects.toMatchObject({
      code: 'ERR_NOT_FOUND',
      message: 'no ring has a key with this kid',
      got: given,
      fix: expect.stringContaining('whole or its first 6 characters or more'),
    });
  },
);
