import { departureWorld, execute, metas, send } from './departure-world';
test('x', async () => {
  for (const n of [13,14,15,16,40,41]) {
  const world = await departureWorld();
  await send(world);
  const caseId = metas(world)[0]!.caseId;
  world.faults.crashAt(n, 'after');
  let seen = 0; let msg = '';
  const e = await execute(world, caseId, 1, async (r, run) => { try { return await run(); } catch (e) { seen++; msg+=String(e); world.faults.restart(); return run(); } }).catch((e) => e);
  console.log(n, seen, world.faults.crashed, msg, String(e), world.faults.effects.length, world.faults.effects.slice(0, 16).join());
  }
});
