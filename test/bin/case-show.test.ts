/** `case show` and `case list`: who voted and what became of it, and one word for one thing. */
import { listCases } from '../../bin/commands/case';
import { showCase } from '../../bin/commands/case-show';
import { APPROVERS, approveAs, decideBoth } from '../scenarios/approvers';
import { type DepartureWorld, departureWorld, execute, metas, send, WORKER } from '../scenarios/departure-world';
import { calmly, type MakeWorld } from '../scenarios/signing-world';

const [ONE, TWO, THREE] = APPROVERS.map(({ identity }) => identity);
const ports = (world: DepartureWorld) => ({ tables: world.tables.parsed, clock: world.clock }) as never;
const shown = async (world: DepartureWorld, caseId: string) => {
  const { json, text } = await showCase(ports(world), caseId);
  return { text, json: json as { readonly approvals: readonly object[] } & Readonly<Record<string, unknown>> };
};

async function held(make: MakeWorld = calmly): Promise<{ world: DepartureWorld; caseId: string }> {
  const world = await departureWorld(make);
  await send(world, { source: 'payroll' });
  const caseId = metas(world)[0]?.caseId ?? '';
  await execute(world, caseId, 1);
  return { world, caseId };
}

test('every vote is shown: whose, for what, when, and whether it counts or why not', async () => {
  const { world, caseId } = await held();
  expect((await shown(world, caseId)).json.approvals).toEqual([]);
  const at = world.clock.now();
  await approveAs(world, ONE, caseId, 'go-on');
  world.clock.advance(60);
  await approveAs(world, THREE, caseId, 'go-on', { about: 'x'.repeat(43) });
  world.clock.advance(60);
  await approveAs(world, TWO, caseId, 'give-back', {}, false);
  const { json, text } = await shown(world, caseId);
  expect(json.approvals).toEqual([
    { approver: 'W-0001', question: 1, decision: 'go-on', at, counts: true },
    {
      approver: 'W-0003',
      question: 1,
      decision: 'go-on',
      at: at + 60,
      counts: false,
      why: 'it is about statements that are not those of today: look again, then approve',
    },
    { approver: 'W-0002', question: 1, decision: 'give-back', at: at + 120 },
  ]);
  expect(text).toMatch(/W-0001 +1 +go-on +\S+Z +counts/);
  expect(text).toMatch(/W-0003 +1 +go-on +\S+Z +does not count: it is about statements/);
  expect(text).toMatch(/W-0002 +1 +give-back +\S+Z +not looked at yet/);
  expect(text).not.toMatch(/AIDA|AROA|CHG-12/);
});

test('a give-back shows the votes that it rests on', async () => {
  const { world, caseId } = await held();
  await decideBoth(world, caseId, 'give-back');
  const back = metas(world).find(({ givesBack }) => givesBack === caseId)?.caseId ?? '';
  expect((await shown(world, back)).json.approvals).toMatchObject([
    { approver: 'W-0001', decision: 'give-back', counts: true },
    { approver: 'W-0002', decision: 'give-back', counts: true },
  ]);
});

test('whose case it is nobody reads from a vote of the leaver', async () => {
  const approvers = [...APPROVERS, { workerId: WORKER, identity: 'AIDALEAVER000001' }];
  const { world, caseId } = await held((options) => calmly({ ...options, config: { approvers } }));
  await approveAs(world, 'AIDALEAVER000001', caseId, 'go-on');
  const { json, text } = await shown(world, caseId);
  expect(json.approvals).toMatchObject([{ approver: 'the leaver', counts: false, why: 'the case is about them' }]);
  expect(`${text}${JSON.stringify(json)}`).not.toContain(WORKER);
});

test('what `case list --json` says of a case, `case show --json` says in the same words', async () => {
  const { world, caseId } = await held();
  await send(world, { workerId: 'W-5', id: 'msg_2' });
  await execute(world, metas(world).find(({ workerId }) => workerId === 'W-5')?.caseId ?? '', 1);
  const { json } = await listCases(ports(world), undefined, undefined);
  const listed = json as readonly { readonly caseId: string; readonly state: string }[];
  expect(listed.map(({ state }) => state).sort()).toEqual(['HELD', 'WAITING']);
  for (const each of listed) expect((await shown(world, each.caseId)).json).toMatchObject(each);
  expect((await shown(world, caseId)).json).not.toHaveProperty('shown');
});
