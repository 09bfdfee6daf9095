/** Lambda freezes a host when its function answers: an effect still under way then is done in the next invocation. */
import { setTimeout as sleep } from 'node:timers/promises';
import { append } from '../../lambdas/appender';
import { commitIssued } from '../../lambdas/committer';
import { sequence } from '../../lambdas/sequencer';
import { H } from '../../lib/domain/base/encoding';
import { World } from '../../lib/local/world';
import type { Objects } from '../../lib/ports';

/** The first put under this prefix fails at once, every other one takes its time. */
function oneFails(objects: Pick<Objects, 'put'>, prefix: string) {
  const state = { puts: 0, underWay: 0 };
  let hasFailed = false;
  const put: Objects['put'] = async (...given) => {
    state.puts++;
    if (!hasFailed && given[1].startsWith(prefix)) {
      hasFailed = true;
      throw new Error('SlowDown');
    }
    state.underWay++;
    await sleep(20);
    state.underWay--;
    return objects.put(...given);
  };
  return { state, objects: Object.assign(Object.create(objects), { put }) };
}

test('lambda.killed: a committer that fails has put, or not, every list of its turn', async () => {
  const world = new World();
  for (let n = 0; n < 6; n++) {
    const row = { pk: 'OUT#07', sk: `0000000${n}`, v: 1 as const, kid: `kid-${n}`, shard: 7 };
    const put = { ...row, jtiH: H(`jti ${n}`), tokenSha256: H(`token ${n}`) };
    await world.tables.transact([{ kind: 'put', table: 'markers', row: put }]);
  }
  const deps = world.deps('committer');
  const { state, objects } = oneFails(deps.objects, 'issued/');
  await expect(commitIssued({}, { ...deps, objects })).rejects.toThrow('SlowDown');
  expect(state).toEqual({ puts: 6, underWay: 0 });
});

test('lambda.killed: a sequencer that fails has put, or not, every tile of its batch', async () => {
  const world = new World();
  const record = {
    v: 1,
    id: 'customer-api/1.0',
    type: 'key.confirmed',
    at: 1_800_000_000,
    ring: 'customer-api',
  } as const;
  await append({ records: [{ ...record, body: { kid: 'kid' } }] }, world.deps('appender'));
  const deps = world.deps('sequencer');
  const { state, objects } = oneFails(deps.objects, 'tile/');
  await expect(sequence({}, { ...deps, objects })).rejects.toThrow('SlowDown');
  // The staged batch, a tile of hashes and one of entries.
  expect(state).toEqual({ puts: 3, underWay: 0 });
});
