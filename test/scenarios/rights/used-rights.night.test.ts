/**
 * A right is used when a call under it changed or returned something in a scenario that fails without it. A right that
 * nobody uses is taken out of its row: it is one more thing that a stolen role could do.
 */

import { COMMAND_RIGHTS, type CommandName } from '../../../lib/domain/deployment/access';
import { type FunctionName, RIGHTS } from '../../../lib/domain/deployment/rights';
import { extent } from '../../support/extent';
import { seedFor } from '../../support/seeded';
import { CASE_SCENARIOS } from './case-scenarios';
import { COMMAND_SCENARIOS } from './command-scenarios';
import { EVIDENCE_SCENARIOS } from './evidence-scenarios';
import { RING_SCENARIOS } from './ring-scenarios';
import type { Scenario } from './scenario';
import { TOKEN_SCENARIOS } from './token-scenarios';
import { type Caller, isInMemory, nameOf, rightsOf, type Use, Watch } from './watch';
import { WAVE_SCENARIOS } from './wave-scenarios';

jest.setTimeout(60_000);

const SCENARIOS: readonly Scenario[] = [
  ...RING_SCENARIOS,
  ...TOKEN_SCENARIOS,
  ...WAVE_SCENARIOS,
  ...EVIDENCE_SCENARIOS,
  ...CASE_SCENARIOS,
  ...COMMAND_SCENARIOS,
];
/** They ask AWS itself for what they print: test/emulator/access.test.ts calls them under the policies. */
const ONLY_ON_AWS: readonly CommandName[] = ['verifier config', 'people import'];
const CALLERS = [...Object.keys(RIGHTS), ...Object.keys(COMMAND_RIGHTS)] as readonly Caller[];

interface Played {
  readonly scenario: Scenario;
  readonly calls: number;
  readonly used: ReadonlyMap<string, Use>;
}

/** Played once with every right, the cheapest first. */
let played: readonly Played[];

beforeAll(async () => {
  const all: Played[] = [];
  for (const scenario of SCENARIOS) {
    const watch = new Watch();
    await scenario.play(watch);
    all.push({ scenario, calls: watch.calls, used: watch.used });
  }
  played = all.sort((a, b) => a.calls - b.calls);
});

const held = (): Use[] =>
  CALLERS.filter((caller) => !ONLY_ON_AWS.includes(caller as CommandName)).flatMap((caller) =>
    rightsOf(caller)
      .filter(isInMemory)
      .map((right) => ({ caller, right })),
  );
const usedIn = (use: Use) => played.filter(({ used }) => used.has(nameOf(use)));

/** The cheapest scenario that the right was used in and that fails where it gives nothing. */
async function failsWithout(use: Use): Promise<Scenario | undefined> {
  for (const { scenario, calls } of usedIn(use)) {
    const fails = await scenario.play(new Watch(use, 2 * calls + 500)).then(
      () => false,
      () => true,
    );
    if (fails) return scenario;
  }
  return undefined;
}

test('a call under every right changed something or returned something', () => {
  expect(
    held()
      .filter((use) => usedIn(use).length === 0)
      .map(nameOf),
  ).toEqual([]);
});

test('every right is needed: without what it gives, a scenario fails', async () => {
  const cpu = process.cpuUsage();
  const failing = new Map<string, Set<string>>();
  const unneeded: string[] = [];
  // By day every fourth, which by the seed: `npm run verify:all` withholds each.
  const step = extent(4, 1);
  const withheld = held().filter((one, n) => usedIn(one).length > 0 && n % step === seedFor('withheld') % step);
  for (const use of withheld) {
    const scenario = await failsWithout(use);
    if (scenario === undefined) unneeded.push(nameOf(use));
    else {
      const row = `${use.caller.padEnd(18)} ${scenario.name}`;
      failing.set(row, (failing.get(row) ?? new Set()).add(use.right));
    }
  }
  const { user, system } = process.cpuUsage(cpu);
  const lines = [...failing].map(([row, rights]) => `${row.padEnd(56)} ${[...rights].join(' ')}`);
  process.stdout.write(
    [
      '',
      `${'who'.padEnd(18)} ${'scenario that fails without'.padEnd(37)} these rights, each`,
      ...lines,
      `rights: ${held().length} held, ${withheld.length} withheld, one at a time, in ${((user + system) / 1e6).toFixed(1)} s of CPU`,
      '',
    ].join('\n'),
  );
  expect(unneeded).toEqual([]);
});

test('the commands that are not played have their reason, and every function is', () => {
  const callers = new Set(played.flatMap(({ used }) => [...used.values()].map(({ caller }) => caller)));
  const silent = CALLERS.filter((caller) => !callers.has(caller) && rightsOf(caller).some(isInMemory));
  expect(silent).toEqual(ONLY_ON_AWS.filter((command) => rightsOf(command).some(isInMemory)));
});

test('of a command only what it asks AWS itself is not seen in memory', () => {
  const unseen = new Set(
    (Object.keys(COMMAND_RIGHTS) as CommandName[]).flatMap(rightsOf).filter((one) => !isInMemory(one)),
  );
  expect([...unseen].sort()).toEqual([
    'account:look',
    'alarms:look',
    'births:look',
    'feed-key:read',
    'kms:look',
    'metrics:look',
    'people-table:look',
    'post:approvals',
    'post:people',
    'stacks:look',
    'webhook-secrets:look',
  ]);
  expect((Object.keys(RIGHTS) as FunctionName[]).flatMap(rightsOf).filter((one) => !isInMemory(one))).toEqual([]);
});
