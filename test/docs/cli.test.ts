/** docs/cli.md: commands, roles, verdicts, and what the doctor says. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { COMMANDS } from '../../bin/commands';
import { examine } from '../../bin/commands/doctor';
import { exportBundle } from '../../bin/commands/evidence';
import { append } from '../../lambdas/appender';
import { sequence } from '../../lambdas/sequencer';
import { ROLES } from '../../lib/domain/deployment/access';
import { RIGHTS } from '../../lib/domain/deployment/rights';
import { World } from '../../lib/local/world';
import { CASE, RECORDS, storedLists } from '../domain/audit/test-case';
import { calmly, signingWorld } from '../scenarios/signing-world';
import { looksAt } from '../support/looks';
import { Page, PROJECT, unquoted } from './page';

const page = new Page('docs/cli.md');
const curfew = (...args: string[]) =>
  spawnSync(process.execPath, [join(PROJECT, 'bin', 'curfew'), ...args], { encoding: 'utf8' });

test('the table of commands is the usage that the CLI prints', () => {
  const { stdout, stderr, status } = curfew('--help');
  const usage = `${stdout}${stderr}`
    .split('\n')
    .filter((line) => line.startsWith('  curfew '))
    .map((line) => line.trim().replace(/\s+/g, ' '));
  expect([status, usage.length]).toEqual([0, Object.keys(COMMANDS).length]);
  expect(page.tableAfter('## Commands').map(([command, says]) => `curfew ${unquoted(command)} ${says}`)).toEqual(usage);
});

test('the roles and their commands are those of the policies', () => {
  const shown = page
    .tableAfter('| role | commands |')
    .map(([role = '', commands = '']) => [unquoted(role), unquoted(commands).split(', ')]);
  expect(shown).toEqual(Object.entries(ROLES).map(([role, commands]) => [role, [...commands]]));
});

test('the Lambdas that a role may invoke by hand are Lambdas', () => {
  const invoked = [...page.section('## Roles').matchAll(/may invoke `([a-z-]+)`/g)].map(([, name = '']) => name);
  expect(invoked.length).toBeGreaterThan(2);
  for (const name of invoked) expect(Object.keys(RIGHTS)).toContain(name);
});

test('the doctor shown is what it says of an instance that was deployed and not set up', async () => {
  const world = await signingWorld({}, calmly);
  await world.functions.invoke('publisher', { ring: 'customer-api' });
  world.clock.advance(20);
  const looks = looksAt(world, {
    stage: { seen: 'trial' },
    webhookSecrets: async () => ({ 'people-system': { seen: false } }),
    people: async () => ({ seen: { items: 0, tableMadeAt: world.clock.now() - 900 } }),
    alarms: async (names) => ({ seen: names.map((name) => ({ name, state: 'OK', hasAction: false, isMuted: false })) }),
    concurrency: async () => ({ seen: { limit: 1000 } }),
  });
  const { text, exitCode } = await examine(
    { clock: world.clock, tables: world.tables.parsed, http: world.http },
    looks,
  );
  expect(exitCode).toBe(1);
  // The kids of a run are its own.
  const known = (said: string) =>
    said.replaceAll(/[\w-]{8}(?= (of the former issuer|has issued|\(ACTIVE\)))/g, '{kid}');
  expect(known(page.block('console', 'curfew doctor'))).toBe(
    known(`$ npx curfew doctor --instance example\n${text}\n`),
  );
});

test('evidence verify says by its exit code whether the evidence holds', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'curfew-docs-'));
  try {
    const world = new World();
    for (const [key, text] of storedLists(RECORDS)) await world.objects.put('evidence', key, Buffer.from(text));
    await append({ records: RECORDS }, world.deps('appender'));
    await sequence({}, world.deps('sequencer'));
    const objects = world.objects.restricted<'evidence:get' | 'heads:get'>(['evidence:get', 'heads:get']);
    const [whole, touched] = [join(folder, 'whole'), join(folder, 'touched')];
    await exportBundle({ case: CASE, dir: whole }, { objects, clock: world.clock });
    cpSync(whole, touched, { recursive: true });
    const tile = join(touched, 'tile', 'entries', '000.p', String(RECORDS.length));
    const bytes = readFileSync(tile);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    writeFileSync(tile, bytes);

    const holds = curfew('evidence', 'verify', whole, '--vkey', readFileSync(join(whole, 'log.vkey'), 'utf8').trim());
    expect([holds.stderr, holds.status]).toEqual(['', 0]);
    expect(holds.stdout).toContain('the evidence holds');
    const fails = curfew('evidence', 'verify', touched);
    expect(fails.status).toBe(1);
    expect(fails.stdout).toMatch(/ERR_EVIDENCE_TREE[\s\S]*the evidence does not hold/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
