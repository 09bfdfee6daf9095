import { CurfewError } from '../../lib/domain/base/errors';
import { PENDING_RECORD } from '../../lib/domain/store/log';
import { ROW_ABSENT } from '../../lib/domain/store/table';
import type { Layer } from '../../lib/local/interposer';
import { World } from '../../lib/local/world';
import type { Tables } from '../../lib/ports';

const write = ({ tables }: { readonly tables: Tables<'log:put'> }) =>
  tables.transact([{ kind: 'put', table: 'log', row: PENDING_RECORD.row([0, '1'], { record: '{}' }), if: ROW_ABSENT }]);
const stored = (world: World) => world.tables.dump('log').length;

function worldWith(...layers: readonly Layer[]): World {
  const world = new World();
  for (const layer of layers) world.ports.add(layer);
  return world;
}

test('a layer sees whose call it is, on which port, and whether it changes anything', async () => {
  const seen: string[] = [];
  const world = worldWith((call, go) => {
    seen.push(`${call.by} ${call.name}${call.isEffect ? '!' : ''}`);
    return go(call);
  });
  await write(world.deps('appender'));
  await world.deps('well-known').objects.get('public', 'r/none/feed');
  await world.deps('rotator').clock.sleep(2);
  expect(seen).toEqual(['appender tables.transact!', 'well-known objects.get', 'rotator clock.sleep']);
});

test('the layer that was added last stands next to the twin', async () => {
  const order: string[] = [];
  const named =
    (name: string): Layer =>
    async (call, go) => {
      order.push(`${name} sends`);
      const answer = await go(call);
      order.push(`${name} is answered`);
      return answer;
    };
  await write(worldWith(named('outer'), named('inner')).deps('appender'));
  expect(order).toEqual(['outer sends', 'inner sends', 'inner is answered', 'outer is answered']);
});

describe('a layer may', () => {
  test('hold a call until it is let go', async () => {
    let letGo = () => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const world = worldWith(async (call, go) => {
      await held;
      return go(call);
    });
    const done = write(world.deps('appender'));
    await new Promise(setImmediate);
    expect(stored(world)).toBe(0);
    letGo();
    await done;
    expect(stored(world)).toBe(1);
  });

  test('refuse it, so that nothing happens', async () => {
    const world = worldWith(async () => {
      throw new CurfewError('ERR_UNAVAILABLE', 'the network is down');
    });
    await expect(write(world.deps('appender'))).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' });
    expect(stored(world)).toBe(0);
  });

  test('repeat it, as a client does that lost the answer', async () => {
    const world = worldWith(async (call, go) => {
      await go(call);
      return go(call);
    });
    await expect(write(world.deps('appender'))).rejects.toMatchObject({ code: 'ERR_CONDITION_FAILED' });
    expect(stored(world)).toBe(1);
  });

  test('send another call in its place, and answer what it likes', async () => {
    const world = worldWith(async (call, go) => {
      const [writes] = call.args as readonly [readonly { readonly if?: unknown }[]];
      await go({ ...call, args: [writes.map(({ if: _, ...unconditional }) => unconditional)] });
    });
    await write(world.deps('appender'));
    await expect(write(world.deps('appender'))).resolves.toBeUndefined();
  });
});
