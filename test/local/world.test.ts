import { CurfewError } from '../../lib/domain/base/errors';
import { type FunctionName, RIGHTS } from '../../lib/domain/deployment/rights';
import { put } from '../../lib/domain/store/entity';
import { LOG_HEAD, PENDING_RECORD } from '../../lib/domain/store/log';
import { ROW_ABSENT } from '../../lib/domain/store/table';
import { World } from '../../lib/local/world';
import type { Tables } from '../../lib/ports';
import { portsOpenedFor } from '../../lib/ports-opened';

const KEY = { pk: 'P', sk: 'S' };

test.each(Object.keys(RIGHTS) as FunctionName[])('%s gets the ports of its row and no others', (name) => {
  const deps = new World().deps(name);
  expect(Object.keys(deps).sort()).toEqual(['clock', 'config', 'random', ...portsOpenedFor(name)].sort());
});

test('a verb outside the rights is refused before anything is touched', async () => {
  const world = new World();
  const { tables } = world.deps('was-issued') as unknown as { tables: typeof world.tables };
  await expect(tables.query({ table: 'ledger', pk: 'P' })).rejects.toMatchObject({
    code: 'ERR_RIGHT_MISSING',
    message: 'the right ledger:query is missing',
  });
  await expect(tables.transact([{ kind: 'put', table: 'ledger', row: { ...KEY, v: 1 } }])).rejects.toMatchObject({
    code: 'ERR_RIGHT_MISSING',
    message: 'the right ledger:put is missing',
  });
  expect(world.tables.dump('ledger')).toEqual([]);
});

test('buckets, secrets and functions ask for their rights too', async () => {
  const world = new World();
  world.secrets.rotate('acme', 'whsec');
  const { objects } = world.deps('well-known') as unknown as { objects: typeof world.objects };
  await expect(objects.put('public', 'k', Buffer.from('x'))).rejects.toMatchObject({
    message: 'the right public:put is missing',
  });
  const { secrets } = world.deps('intake');
  expect(await secrets.values('acme')).toEqual(['whsec']);
  await expect(secrets.values('pepper')).rejects.toMatchObject({ message: 'the right secret:pepper is missing' });
  const { functions } = world.deps('ticker') as unknown as { functions: typeof world.functions };
  await expect(functions.invoke('publisher', { ring: 'r' })).rejects.toMatchObject({
    message: 'the right invoke:publisher is missing',
  });
});

test('each Lambda signs as its own role: the publisher with the feed key, the sequencer with the checkpoint key', async () => {
  const world = new World();
  const { feedKeyArn = '', checkpointKeyArn = '' } = world.config;
  const message = Buffer.from('m');
  expect(await world.deps('publisher').signer.sign(feedKeyArn, 'ES256', message)).toBeInstanceOf(Buffer);
  expect(await world.deps('sequencer').signer.sign(checkpointKeyArn, 'EdDSA', message)).toHaveLength(64);
  expect(await world.deps('publisher').signer.publicKey(feedKeyArn)).toEqual(world.kms.publicKeyOf(feedKeyArn));
  await expect(world.deps('publisher').signer.sign(checkpointKeyArn, 'EdDSA', message)).rejects.toMatchObject({
    code: 'ERR_ACCESS_DENIED',
    message: 'the key policy refuses kms:Sign',
  });
});

test('the stream carries what was inserted, in order, once', async () => {
  const { tables } = new World();
  const put = (sk: string) => tables.transact([{ kind: 'put', table: 'keys', row: { pk: 'P', sk, v: 1 } }]);
  await put('OUT#2');
  await put('OUT#1');
  await put('OUT#2');
  expect(tables.takeStream('keys').map(({ sk }) => sk)).toEqual(['OUT#2', 'OUT#1']);
  expect(tables.takeStream('keys')).toEqual([]);
  await tables.transact([{ kind: 'delete', table: 'keys', key: { pk: 'P', sk: 'OUT#1' } }]);
  await put('OUT#1');
  expect(tables.takeStream('keys').map(({ sk }) => sk)).toEqual(['OUT#1']);
});

test('an invoked handler gets and gives JSON, and its refusal arrives with code, message and fix alone', async () => {
  const world = new World();
  const { functions } = world.deps('conductor');
  world.functions.register('disabler', async ({ kmsKeyArn }) => {
    if (kmsKeyArn === 'refuse')
      throw new CurfewError('ERR_KEY_STATE', 'the key is gone', { fix: 'look again', got: 'kept back' });
    if (kmsKeyArn === 'break') throw new TypeError('kept back');
    return { state: kmsKeyArn, gone: undefined } as { state: string };
  });
  expect(Object.keys(await functions.invoke('disabler', { kmsKeyArn: 'Disabled' }))).toEqual(['state']);
  await expect(functions.invoke('disabler', { kmsKeyArn: 'refuse' })).rejects.toMatchObject({
    code: 'ERR_KEY_STATE',
    message: 'the key is gone',
    fix: 'look again',
    got: undefined,
  });
  await expect(functions.invoke('disabler', { kmsKeyArn: 'break' })).rejects.toMatchObject({
    code: 'ERR_UNAVAILABLE',
    message: 'disabler failed',
  });
  await expect(functions.invoke('latch', { userName: 'w', caseId: 'c' })).rejects.toMatchObject({
    code: 'ERR_UNAVAILABLE',
    message: 'nothing answers for latch',
  });
});

test('starting an execution again changes nothing; an event carries its version', async () => {
  const { workflow, events } = new World();
  await workflow.start('c-1.1', { caseId: 'c-1', attempt: 1 });
  await workflow.start('c-1.1', { caseId: 'c-1', attempt: 2 });
  expect([...workflow.started]).toEqual([['c-1.1', { caseId: 'c-1', attempt: 1 }]]);
  await events.put('CaseOpened', { id: 'c-1' });
  expect(events.said).toEqual([{ detailType: 'CaseOpened', detail: { v: 1, id: 'c-1' } }]);
});

describe('a crash', () => {
  const writeTwice = async ({ tables }: { tables: Tables<'log:put'> }) => {
    for (const sk of ['1', '2']) await tables.transact([put(PENDING_RECORD, [0, sk], { record: '{}' }, ROW_ABSENT)]);
  };
  const stored = (world: World) => world.tables.dump('log').map(({ sk }) => sk);

  test.each([
    [1, 'before', []],
    [1, 'after', ['1']],
    [2, 'before', ['1']],
    [2, 'after', ['1', '2']],
  ] as const)('at effect %i, %s it', async (n, mode, left) => {
    const world = new World();
    world.faults.crashAt(n, mode);
    await expect(writeTwice(world.deps('appender'))).rejects.toThrow(`the process died ${mode} tables.transact`);
    expect(stored(world)).toEqual(left);
    expect(world.faults.crashed).toBe(true);
  });

  test('a dead process does nothing more, not even read, until it is restarted', async () => {
    const world = new World();
    const { tables } = world.deps('sequencer');
    world.faults.crashAt(1, 'before');
    await expect(tables.transact([{ kind: 'delete', table: 'log', key: KEY }])).rejects.toThrow('the process died');
    await expect(tables.get(LOG_HEAD)).rejects.toThrow('the process died before tables.transact');
    world.faults.restart();
    expect(await tables.get(LOG_HEAD)).toBeUndefined();
  });

  test('in a callee ends the caller too, and counts with the effects of all', async () => {
    const world = new World();
    world.functions.register('appender', async () => {
      await writeTwice(world.deps('appender'));
      return { appended: 2 };
    });
    world.faults.crashAt(3, 'after');
    await expect(world.deps('committer').functions.invoke('appender', { records: [] })).rejects.toThrow('died after');
    expect(world.faults.effects).toEqual(['functions.invoke', 'tables.transact', 'tables.transact']);
    expect(stored(world)).toEqual(['1', '2']);
  });
});
