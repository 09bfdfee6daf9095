/**
 * A deployment in a storm: a leaver, a scheduled rotation, tokens issued all the while, and everything that the twins can
 * do to it at once. Then calm. What must hold then, holds for every seed; `npm run verify:all` has the night's number.
 */
import { sequence } from '../../lambdas/sequencer';
import { isCurfewError } from '../../lib/domain/base/errors';
import type { EvidenceRecord } from '../../lib/domain/evidence/record';
import { parseTokenList } from '../../lib/domain/evidence/token-list';
import { parseCompact } from '../../lib/domain/jose/compact';
import { nextRotationAt } from '../../lib/domain/rings/rotation';
import { LOG_RECORD } from '../../lib/domain/store/log';
import { OUTBOX_PREFIX } from '../../lib/domain/store/table';
import { jtiHash } from '../../lib/domain/tokens/claims';
import { SharedClock } from '../../lib/local/clock';
import { STORM, Weather } from '../../lib/local/weather';
import { WEATHER_ROWS } from '../../lib/local/weather-rows';
import { World } from '../../lib/local/world';
import { Deployment } from '../support/deployment';
import { counted, THOROUGH } from '../support/extent';
import { verdict } from '../support/published';
import { alwaysViolated, settledViolated } from '../support/ring-invariants';
import { seedFor } from '../support/seeded';
import { type DepartureWorld, departureWorld, metas } from './departure-world';
import { issueTo, NOW, ringOf, verifierOf } from './signing-world';

const say = (line: string) => process.stdout.write(`${line}\n`);
/** Ten minutes of seeds at night; one for whoever waits for `npm test`. */
const NIGHT_MS = 600_000;
const SEEDS_BY_DAY = 1;

const STORM_SECONDS = 2400;
const CALM_SECONDS = 4500;

interface Issued {
  readonly to: string;
  readonly token: string;
}

/** One life; answers what does not hold in the end, and what struck. */
async function live(seed: string) {
  const clock = new SharedClock(NOW);
  const weather = new Weather(seed, { 'kms.lockout': 1 });
  const world = await clock.run(() => departureWorld((given) => new World({ ...given, clock, weather, seed })));
  // Ten minutes before a scheduled rotation.
  clock.set((nextRotationAt(await ringOf(world)) ?? 0) - 600);
  const issued: Issued[] = [];
  const found: string[] = [];
  const failed = await clock.run(async () => {
    weather.turn(STORM);
    const deployment = new Deployment(world);
    const clients = [1, 2, 3].map((n) => issueAllTheWhile(world, `member-${n}`, issued));
    await clock.sleep(120);
    await issueInTheEnd(world, 'mallory', issued);
    await deployment.hrSays();
    await clock.sleep(STORM_SECONDS);
    await weather.calm();
    await clock.sleep(CALM_SECONDS);
    await Promise.all(clients);
    await deployment.stop();
    return deployment.failed;
  });
  await clock.run(async () => {
    const must = (holds: boolean, sentence: string) => holds || found.push(sentence);
    found.push(...(await alwaysViolated(world)), ...(await settledViolated(world)));
    await judgeCase(world, must);
    await judgeRecords(world, must);
    await judgeLedger(world, issued, must);
    await judgeTokens(world, issued, must);
  });
  return { found, failed, struck: weather.struck, tokens: issued.length };
}

/** A client of the issuer: asks, and asks again when it is told to. */
async function issueAllTheWhile(world: DepartureWorld, to: string, issued: Issued[]): Promise<void> {
  const { clock } = world;
  const until = clock.now() + STORM_SECONDS;
  while (clock.now() < until) {
    await issueInTheEnd(world, to, issued);
    await clock.sleep(90);
  }
}

async function issueInTheEnd(world: DepartureWorld, to: string, issued: Issued[]): Promise<void> {
  for (;;) {
    try {
      issued.push({ to, token: await world.weather.invocation(() => issueTo(world, to)) });
      return;
    } catch (error) {
      if (!isCurfewError(error)) throw error;
      await world.clock.sleep(2);
    }
  }
}

type Must = (holds: boolean, sentence: string) => unknown;

/** The case is closed and sealed, and what it says to have seen is so. */
async function judgeCase(world: DepartureWorld, must: Must): Promise<void> {
  const [meta] = metas(world).filter(({ followUpOf }) => followUpOf === undefined);
  must(meta?.state === 'CLOSED' && meta.sealedAt !== undefined, `the case is stuck: ${meta?.state}`);
  for (const { accessKeyId, status } of await world.iam.accessKeys('mallory'))
    must(status === 'Inactive', `access key ${accessKeyId} is ${status}`);
  must(!(await world.iam.hasLoginProfile('mallory')), 'the console login is there');
  must(world.kms.stateOf(world.personalKeyArn) === 'Disabled', 'the personal key is enabled');
  const { keys } = await ringOf(world);
  const tainted = keys.filter(({ taint }) => taint !== undefined);
  must(tainted.length === 2, `${tainted.length} keys are tainted`);
  for (const { kid, state, kmsKeyArn } of tainted) {
    must(state === 'DENIED', `key ${kid} is ${state}`);
    if (kmsKeyArn) must(world.kms.stateOf(kmsKeyArn) === 'Disabled', `a tainted key is proved dead and signs`);
  }
}

/** Every record that a transaction left is in the tree, once. */
async function judgeRecords(world: DepartureWorld, must: Must): Promise<void> {
  const { size } = await sequence({}, world.deps('sequencer'));
  const ids = new Set<string>();
  for (const table of ['keys', 'cut-offs', 'cases'] as const)
    for (const row of world.tables.dump(table))
      if (row.sk.startsWith(OUTBOX_PREFIX)) ids.add((row.record as unknown as EvidenceRecord).id);
  for (const id of ids) {
    const known = await world.tables.get('log', LOG_RECORD.key(id));
    must(typeof known?.index === 'number', `record ${id} is not in the tree`);
  }
  const inTree = world.tables.dump('log').filter(({ index }) => typeof index === 'number').length;
  must(size === inTree, `the tree has ${size} records, the log knows ${inTree}`);
}

/** What was handed out is in the ledger, and what is in the ledger in a committed list, or still waits for one. */
async function judgeLedger(world: DepartureWorld, issued: readonly Issued[], must: Must): Promise<void> {
  const listed = new Set(world.tables.dump('markers').map(({ tokenSha256 }) => tokenSha256));
  for (const { kid } of (await ringOf(world)).keys)
    for (const key of await world.objects.list('evidence', `issued/${kid}/`))
      for (const { tokenSha256 } of parseTokenList((await world.objects.get('evidence', key))?.body ?? Buffer.alloc(0)))
        listed.add(tokenSha256);
  const recorded = new Set(world.tables.dump('ledger').map(({ tokenSha256 }) => tokenSha256));
  for (const digest of recorded) must(listed.has(digest), `token ${digest} of the ledger is in no list`);
  for (const { to, token } of issued)
    must(recorded.has(parseCompact(token).tokenSha256), `a token of ${to} was handed out and is not in the ledger`);
}

/** Whoever was handed a token still has one that is good, or had it over by now; the leaver has none. */
async function judgeTokens(world: DepartureWorld, issued: readonly Issued[], must: Must): Promise<void> {
  const verifier = await verifierOf(world);
  const versions = new Set(world.tables.dump('ledger').flatMap(({ sk, resignOf }) => (resignOf ? [sk] : [])));
  const now = world.clock.now();
  for (const { to, token } of issued) {
    const { exp, jti } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    const outcome = await verdict(verifier, token);
    if (to === 'mallory') must(outcome !== 'accepted' && !versions.has(jtiHash(jti)), 'a token of the leaver is good');
    // A clock that was ahead may have dated it later than it was asked for.
    else if (exp > now + 60)
      must(outcome === 'accepted' || versions.has(jtiHash(jti)), `a token of ${to} was lost: ${outcome}`);
  }
}

/** What the twins have no part in, or the simulation does not reach: lib/aws's tests and others answer for these rows. */
const NOT_HERE = [
  'kms.lockout',
  'kms.other-region',
  'dynamodb.pages',
  'dynamodb.expired-there',
  'stream.down',
  'iam.limit',
  'http.no-name',
  'cloudformation.roll-back',
];

test(
  'nothing is lost, nothing stays enabled, nobody is stuck, and nothing is proved that is not so',
  async () => {
    const first = seedFor('storm');
    const end = Date.now() + NIGHT_MS;
    const struck: Record<string, number> = {};
    const failed: Record<string, number> = {};
    let [seeds, tokens] = [0, 0];
    const add = (sum: Record<string, number>, more: Readonly<Record<string, number | undefined>>) => {
      for (const [name, n = 0] of Object.entries(more)) sum[name] = (sum[name] ?? 0) + n;
    };
    while (THOROUGH ? Date.now() < end && seeds < 10_000 : seeds < SEEDS_BY_DAY) {
      const seed = `${first + seeds++}`;
      const life = await live(seed);
      if (life.found.length > 0) throw new Error(`seed ${seed}: ${life.found.slice(0, 5).join('; ')}`);
      add(struck, life.struck);
      add(failed, life.failed);
      tokens += life.tokens;
    }
    say(
      `storm: ${counted(seeds)} seeds from ${first}, ${counted(tokens)} tokens handed out; nothing lost, stuck or enabled`,
    );
    for (const [row, n] of Object.entries(struck).sort()) say(`  ${row.padEnd(24)}${counted(n).padStart(10)}`);
    say(
      `runs that failed twice, and were made up for: ${
        Object.entries(failed)
          .map(([name, n]) => `${name} ${n}`)
          .join(', ') || 'none'
      }`,
    );
    const calm = Object.keys(WEATHER_ROWS).filter((row) => !NOT_HERE.includes(row) && struck[row] === undefined);
    // By day some rows may not come by; at night each does.
    expect(THOROUGH ? calm : []).toEqual([]);
  },
  2 * NIGHT_MS,
);
