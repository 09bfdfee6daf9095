/** A personal key whose policy does not name our role: approvers are told before they decide, and people enable it. */
import { giveBack } from '../../bin/commands/case-decide';
import { showCase } from '../../bin/commands/case-show';
import { checkManifest, checkOrder } from '../../lib/domain/audit/manifest';
import { CurfewError } from '../../lib/domain/base/errors';
import { policyAllowing } from '../../lib/local/kms';
import { roleArn } from '../../lib/local/world';
import { APPROVERS, approveAs, decideBoth } from './approvers';
import {
  allRecords,
  type DepartureWorld,
  departureWorld,
  drainOutboxes,
  execute,
  metaOf,
  metas,
  send,
} from './departure-world';
import { calmly } from './signing-world';

const DISABLED = ['kms:DisableKey', 'kms:DescribeKey'];
const ofDisabler = policyAllowing([roleArn('disabler')], DISABLED);

/** A held case of a leaver whose personal key has this policy. */
async function held(policy: string): Promise<{ world: DepartureWorld; caseId: string }> {
  const world = await departureWorld(calmly);
  world.kms.override(world.personalKeyArn, { policy });
  await send(world, { source: 'payroll' });
  const caseId = metas(world)[0]?.caseId ?? '';
  await execute(world, caseId, 1);
  return { world, caseId };
}

const look = async (world: DepartureWorld, caseId: string) =>
  giveBack(
    { tables: world.tables.parsed, clock: world.clock } as unknown as Parameters<typeof giveBack>[0],
    caseId,
    undefined,
  );
const stateOf = async (world: DepartureWorld) =>
  (await world.kms.disablerFor(roleArn('disabler')).describe(world.personalKeyArn)).state;
const backOf = (world: DepartureWorld, caseId: string) =>
  metas(world).find(({ givesBack }) => givesBack === caseId)?.caseId ?? '';

test('it is listed before anybody approves and in the plan, waits for people, and ends once they enabled it', async () => {
  const { world, caseId } = await held(ofDisabler);
  const { json, text } = await look(world, caseId);
  expect(json).toMatchObject({ byHand: ['personal-key'], opens: expect.not.arrayContaining(['personal-key']) });
  expect(text).toContain('give back by hand: personal-key: the key policy does not name');
  expect(world.tables.dump('approvals')).toEqual([]);

  await decideBoth(world, caseId, 'give-back');
  const back = backOf(world, caseId);
  await expect(execute(world, back, 1)).rejects.toMatchObject({ code: 'ERR_NOT_PROVED', got: ['01 release STARTED'] });
  expect([world.iam.mayAct('mallory', 'AKIA1'), await stateOf(world)]).toEqual([true, 'Disabled']);
  const planned = allRecords(world).find(({ id }) => id === `${back}/inventory`);
  expect(planned?.body.things).toEqual(
    expect.arrayContaining([expect.objectContaining({ thing: 'personal-key', byHand: true })]),
  );
  const shown = await showCase({ tables: world.tables.parsed, clock: world.clock } as never, back);
  expect(shown.text).toContain('somebody who enables it by hand');

  const admin = 'arn:aws:iam::000000000000:role/admin';
  world.kms.override(world.personalKeyArn, {
    policy: policyAllowing([admin, roleArn('disabler')], [...DISABLED, 'kms:EnableKey']),
  });
  await world.kms.ringKeysFor(admin).enable(world.personalKeyArn);
  await execute(world, back, 1);
  expect(await metaOf(world, back)).toMatchObject({ state: 'CLOSED' });
  await drainOutboxes(world);
  checkManifest(allRecords(world), back);
  checkOrder(allRecords(world), back);
  const hidden = allRecords(world).map((one) =>
    one.id === `${back}/inventory`
      ? {
          ...one,
          body: {
            ...one.body,
            things: (one.body.things as { byHand?: boolean }[]).map(({ byHand: _, ...thing }) => thing),
          },
        }
      : one,
  );
  expect(() => checkManifest(hidden as never, back)).toThrow();
});

test.each<[string, string]>([
  [
    'lets our role enable it, and not read it',
    policyAllowing([roleArn('disabler'), roleArn('key-enabler')], [...DISABLED, 'kms:EnableKey']),
  ],
  [
    'lets our role read it alone',
    policyAllowing([roleArn('disabler'), roleArn('key-enabler')], [...DISABLED, 'kms:GetKeyPolicy']),
  ],
])('one whose policy %s is for people as well', async (_what, policy) => {
  const { world, caseId } = await held(policy);
  expect((await look(world, caseId)).json).toMatchObject({ byHand: ['personal-key'] });
});

test('one whose policy names our role is opened by us, as it is listed', async () => {
  const world = await departureWorld(calmly);
  await send(world, { source: 'payroll' });
  const caseId = metas(world)[0]?.caseId ?? '';
  await execute(world, caseId, 1);
  expect((await look(world, caseId)).json).toMatchObject({
    byHand: [],
    opens: expect.arrayContaining(['personal-key']),
  });
  await decideBoth(world, caseId, 'give-back');
  await execute(world, backOf(world, caseId), 1);
  expect(await stateOf(world)).toBe('Enabled');
});

test('a look enables nothing, and an enabler that cannot look holds up no containment', async () => {
  const { world } = await held(ofDisabler);
  const enabler = world.deps('conductor').functions;
  expect(await enabler.invoke('key-enabler', { op: 'look', kmsKeyArn: world.personalKeyArn })).toEqual({
    mayEnable: false,
  });
  expect(await stateOf(world)).toBe('Disabled');

  const other = await departureWorld(calmly);
  other.functions.register('key-enabler', async () => {
    throw new CurfewError('ERR_UNAVAILABLE', 'kms is throttled');
  });
  await send(other, { source: 'payroll' });
  const caseId = metas(other)[0]?.caseId ?? '';
  await execute(other, caseId, 1);
  expect([await stateOf(other), (await metaOf(other, caseId)).containedAt !== undefined]).toEqual(['Disabled', true]);
});

test('who approved a list on which the key was opened by us has not approved one on which people do', async () => {
  const { world, caseId } = await held(ofDisabler);
  const row = world.tables.dump('cases').find(({ sk }) => sk.startsWith('SHUT#personal-key#'));
  const { pk = '', sk = '' } = row ?? {};
  const key = { pk, sk };
  await world.tables.transact([{ kind: 'update', table: 'cases', key, remove: ['byHand'] }]);
  await approveAs(world, APPROVERS[0].identity, caseId, 'give-back');
  await world.tables.transact([{ kind: 'update', table: 'cases', key, set: { byHand: true } }]);
  expect(await approveAs(world, APPROVERS[1].identity, caseId, 'give-back')).toMatchObject({ isDecided: false });
});
