/** Commands of the CLI, each under the ports of its own row of rights, as far as they ask no AWS for more. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { adoptRecord } from '../../../bin/commands/adopt';
import { listCases, listDue } from '../../../bin/commands/case';
import { acceptItems } from '../../../bin/commands/case-accept';
import { decideCase } from '../../../bin/commands/case-decide';
import { explainCase } from '../../../bin/commands/case-explain';
import { readmit } from '../../../bin/commands/case-readmit';
import { showCase } from '../../../bin/commands/case-show';
import type { CommandPorts } from '../../../bin/commands/command';
import { examine } from '../../../bin/commands/doctor';
import { exportBundle, verifyBundle } from '../../../bin/commands/evidence';
import { importPeople } from '../../../bin/commands/people';
import { rotateRing, switchIssuing } from '../../../bin/commands/ring-change';
import { taintKey } from '../../../bin/commands/ring-taint';
import { showRing, showRings } from '../../../bin/commands/ring-view';
import { approve } from '../../../lambdas/approvals';
import { importPeople as takeIn } from '../../../lambdas/people-import';
import { planner } from '../../../lambdas/planner';
import { taintIdOf } from '../../../lib/domain/cases/case';
import type { CommandName } from '../../../lib/domain/deployment/access';
import type { Finding } from '../../../lib/domain/health/finding';
import { CASE_ITEM } from '../../../lib/domain/store/case-items';
import type { World } from '../../../lib/local/world';
import { looksAt } from '../../support/looks';
import { APPROVERS, lookAtApprovals } from '../approvers';
import { execute, imported, metas, send, strike, WORKER } from '../departure-world';
import {
  drainOutbox,
  issueTo,
  legacyClaims,
  pass,
  RING,
  ringOf,
  type SigningWorld,
  signLegacy,
  taintKeys,
} from '../signing-world';
import { companyUnder, keyStates, ringUnder, type Scenario } from './scenario';
import { rightsOf, type Watch } from './watch';

const silent = () => undefined;

/** What AWS opens to the command under a policy of its row alone. */
function under<C extends CommandName>(world: World, command: C, watch: Watch): CommandPorts<C> {
  const rights: readonly string[] = rightsOf(command);
  const { tables, functions, objects, http, clock } = world;
  const ports = {
    clock,
    tables: tables.restricted(rights),
    functions: functions.restricted(rights),
    objects: objects.restricted(rights),
    http,
  };
  return watch.over(command, ports, world) as unknown as CommandPorts<C>;
}

/** The command on a ring that was just born. */
function onRing<C extends CommandName>(
  command: C,
  play: (deps: CommandPorts<C>, world: SigningWorld, watch: Watch) => Promise<void>,
): Scenario {
  return {
    name: `curfew ${command}`,
    async play(watch) {
      const world = await ringUnder(watch);
      await play(under(world, command, watch), world, watch);
    },
  };
}

const activeOf = async (world: World) => (await ringOf(world)).activeKid ?? '';

export const COMMAND_SCENARIOS: readonly Scenario[] = [
  onRing('ring list', async (deps, world) => {
    expect((await showRings(deps)).json).toMatchObject([{ ring: RING, activeKid: await activeOf(world) }]);
  }),
  onRing('ring show', async (deps, world) => {
    const { text } = await showRing(deps, RING, { width: 80, unicode: false });
    for (const { kid } of (await ringOf(world)).keys) expect(text).toContain(kid);
  }),
  onRing('ring rotate', async (deps, world) => {
    const from = await activeOf(world);
    const { exitCode } = await rotateRing(deps, { ring: RING, reason: 'CHG-9' }, silent);
    expect([exitCode, (await activeOf(world)) === from]).toEqual([0, false]);
  }),
  onRing('ring taint', async (deps, world) => {
    const kid = await activeOf(world);
    await issueTo(world, 'member-1');
    const request = { kid, class: 'compromise', reason: 'CHG-9', direct: true } as const;
    const { json, exitCode } = await taintKey(deps, request, silent);
    expect([json, exitCode]).toEqual([{ ring: RING, kid, state: 'DENIED', kms: 'Disabled', resigned: 1 }, 0]);
    expect(await keyStates(world)).toContain('DENIED Disabled');
    // Verifiers are told, and what was re-signed is committed to: nobody has to wait for a schedule.
    const document = await world.objects.get('public', `r/${RING}/feed`);
    const [, payload = ''] = document?.body.toString().split('.') ?? [];
    expect(JSON.parse(Buffer.from(payload, 'base64url').toString()).keys).toContainEqual(
      expect.objectContaining({ kid, state: 'DENIED' }),
    );
    expect(world.tables.dump('markers').filter(({ sk }) => !sk.startsWith('PASS#'))).toEqual([]);
  }),
  {
    name: 'curfew ring taint, as a case',
    async play(watch) {
      const world = await companyUnder(watch);
      const kid = await activeOf(world);
      const ended = { ring: RING, kid, class: 'compromise', reason: 'CHG-9' } as const;
      const caseId = taintIdOf(world.config.instance, ended);
      const deps = under(world, 'ring taint', watch);
      // While the command waits, the workflow runs.
      const clock = { now: () => world.clock.now(), sleep: async () => void (await execute(world, caseId, 1)) };
      const { json, exitCode = 0 } = await taintKey({ ...deps, clock }, ended, silent);
      expect([json, exitCode]).toMatchObject([{ caseId, kid, state: 'DENIED', kms: 'Disabled', proved: true }, 0]);
      // Started by the opener: the responder does not wait for the next minute.
      expect([...world.workflow.started.keys()]).toEqual([`${caseId}.1`]);
      // A marker looks after the case, and the one it was due by is gone.
      const due = world.tables.dump('cases').filter(({ pk }) => pk === 'DUE');
      expect(due.map(({ attempt }) => attempt)).toEqual([1]);
    },
  },
  onRing('ring halt', async (deps, world) => {
    const { text } = await switchIssuing(deps, { op: 'halt', ring: RING, reason: 'CHG-9' });
    expect(text).toBe(`${RING} is halted: nothing is issued; what was issued goes on being good`);
    await expect(issueTo(world, 'member-1')).rejects.toMatchObject({ code: 'ERR_RING_HALTED' });
  }),
  onRing('ring resume', async (deps, world, watch) => {
    await switchIssuing(under(world, 'ring halt', watch), { op: 'halt', ring: RING, reason: 'CHG-9' });
    const { text } = await switchIssuing(deps, { op: 'resume', ring: RING, reason: 'CHG-9' });
    expect(text).toBe(`${RING} issues again, under ${await activeOf(world)}`);
    await issueTo(world, 'member-1');
  }),
  onRing('doctor', async (deps, world) => {
    const kid = await activeOf(world);
    const { batches } = await taintKeys(world, [{ kid, class: 'planned', reason: 'CHG-9' }]);
    await pass(world, batches, 1);
    const { findings } = (await examine(deps, looksAt(world))).json as { findings: Finding[] };
    const notOk = findings.filter(({ state }) => state !== 'ok');
    expect(notOk.map(({ check }) => check)).toEqual(['STANDBYs', 'verifiers']);
    expect(findings.find(({ check }) => check === 'waves')?.found).toContain('0 of 64 shards re-signed, 64 begun');
  }),
  onRing('adopt record', async (deps, world) => {
    const token = signLegacy(world, legacyClaims(world, 'member-1', 'jti-1'));
    expect((await adoptRecord(deps, RING, `${token}\n`, silent)).json).toEqual({ recorded: 1, refused: [] });
    expect(world.tables.dump('ledger')).toHaveLength(1);
  }),
  onRing('evidence export', async (deps, world) => {
    const dir = mkdtempSync(join(tmpdir(), 'curfew-rights-'));
    try {
      await drainOutbox(world);
      await world.functions.invoke('sequencer', {});
      await exportBundle({ case: 'c-none', dir }, deps);
      const failed = verifyBundle(dir).verdict.checks.filter(({ ok }) => !ok);
      expect(failed.map(({ id }) => id)).toEqual(['manifest', 'order']);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  }),
  {
    name: 'curfew people import, case list, show, explain, due',
    async play(watch) {
      const world = await companyUnder(watch);
      const workers = [{ workerId: 'W-7', principals: [{ type: 'subject', ring: RING, sub: 'eve' }], exposures: [] }];
      const signed = {
        post: async (_path: string, body: object) => ({
          ...(await takeIn(body, world.deps('people-import'), 'AIDAIMPORTER0001')),
        }),
      };
      const { text } = await importPeople({ signed }, { workers });
      expect([text, world.tables.dump('people').filter(({ sub }) => sub === 'eve').length]).toEqual([
        '1 worker imported, with 1 entry; a case that waits for one of them goes on within some 16 minutes',
        1,
      ]);
      await send(world);
      await send(world, { workerId: 'W-7', effectiveAt: world.clock.now() + 60, id: 'msg_2' });
      const caseOf = (id: string) => metas(world).find(({ workerId }) => workerId === id)?.caseId ?? '';
      await planner({ caseId: caseOf(WORKER), attempt: 1, step: 'list' }, world.deps('planner'));
      const shown = (await showCase(under(world, 'case show', watch), caseOf(WORKER))).json;
      expect(shown).toMatchObject({ state: 'CONTAINING', items: expect.arrayContaining([expect.anything()]) });
      expect((await listDue(under(world, 'case due', watch))).json).toMatchObject([{ what: 'departure' }]);
      expect((await listCases(under(world, 'case list', watch), undefined, undefined)).json).toMatchObject([
        { kind: 'end' },
      ]);
      expect((await listCases(under(world, 'case list', watch), undefined, WORKER)).json).toMatchObject([
        { kind: 'end' },
      ]);
      const { json } = await explainCase(under(world, 'case explain', watch), caseOf(WORKER));
      expect(json).toMatchObject({ number: 1, statements: [{ kind: 'termination' }] });
    },
  },
  {
    name: 'curfew case readmit',
    async play(watch) {
      const world = await companyUnder(watch);
      await send(world);
      const caseId = metas(world)[0]?.caseId ?? '';
      await execute(world, caseId, 1);
      await strike(world, 86_400);
      await send(world, { type: 'worker.rehired', id: 'msg_2' });
      const ports = under(world, 'case readmit', watch);
      for (const { identity } of APPROVERS.slice(0, 2)) {
        const signed = { post: (_path: string, body: object) => postAs(world, identity, body) };
        const { json } = await readmit({ ...ports, signed }, WORKER, `${RING}/mallory`, 'CHG-9');
        expect(json).toMatchObject({ counts: true, isDecided: identity !== APPROVERS[0].identity });
      }
      const opens = metas(world).find(({ readmits }) => readmits !== undefined)?.caseId ?? '';
      await execute(world, opens, 1);
      world.clock.advance(60);
      expect(await issueTo(world, 'mallory')).toMatch(/^ey/);
    },
  },
  ...(['go-on', 'give-back'] as const).map(
    (decision): Scenario => ({
      name: `curfew case ${decision === 'go-on' ? 'approve' : decision}`,
      async play(watch) {
        const world = await companyUnder(watch);
        await send(world, { source: 'payroll' });
        const caseId = metas(world)[0]?.caseId ?? '';
        await execute(world, caseId, 1);
        const ports = under(world, decision === 'go-on' ? 'case approve' : 'case give-back', watch);
        for (const { identity } of APPROVERS.slice(0, 2)) {
          const signed = { post: (_path: string, body: object) => postAs(world, identity, body) };
          const { json } = await decideCase({ ...ports, signed }, caseId.slice(0, 8), decision, 'CHG-9');
          expect(json).toMatchObject({ caseId, counts: true, isDecided: identity !== APPROVERS[0].identity });
          const { json: shown } = await showCase(under(world, 'case show', watch), caseId);
          const { approvals } = shown as { readonly approvals: readonly object[] };
          expect(approvals.at(-1)).toMatchObject({ decision, counts: true });
        }
      },
    }),
  ),
  {
    name: 'curfew case accept',
    async play(watch) {
      const world = await companyUnder(watch);
      await imported(world, WORKER, [], [{ asset: 'ring:no-such-ring', class: 'could-use', how: 'h', since: 1 }]);
      await send(world);
      const caseId = metas(world)[0]?.caseId ?? '';
      await expect(execute(world, caseId, 1)).rejects.toMatchObject({ code: 'ERR_NOT_PROVED' });
      const [open] = (await world.tables.parsed.query(CASE_ITEM.in(caseId))).filter(({ state }) => state === 'PLANNED');
      const until = new Date((world.clock.now() + 7 * 86_400) * 1000).toISOString().slice(0, 10);
      const ports = under(world, 'case accept', watch);
      for (const { identity } of APPROVERS.slice(0, 2)) {
        const signed = { post: (_path: string, body: object) => postAs(world, identity, body) };
        const given = { items: open?.item.nn ?? '', until, reason: 'CHG-9' };
        const { json } = await acceptItems({ ...ports, signed }, caseId, given);
        expect(json).toMatchObject({ counts: true, isDecided: identity !== APPROVERS[0].identity });
      }
    },
  },
];

/** As API Gateway hands it over, and what the stream of the table does. */
async function postAs(world: World, userId: string, body: object): Promise<Record<string, unknown>> {
  const requestContext = { authorizer: { iam: { userId } } };
  const request = { body: JSON.stringify(body), isBase64Encoded: false, requestContext };
  const { body: answer = '{}' } = await approve(request, world.deps('approvals'));
  await lookAtApprovals(world);
  return { ...(JSON.parse(answer) as object) };
}
