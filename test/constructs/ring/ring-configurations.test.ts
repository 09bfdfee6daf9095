/**
 * Random ring configurations by both doors that a user has: a JSON file, and constructs of their own. Valid ones
 * synthesise; each mutation of a valid one is refused with the code that its row says, and with no other.
 */
import { type App, Duration, Stack } from 'aws-cdk-lib';
import { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import fc from 'fast-check';
import { parseConfiguration } from '../../../lib/config';
import { EvidenceLog } from '../../../lib/constructs/evidence/evidence-log';
import { pascal } from '../../../lib/constructs/parts/names';
import { SigningKeyRing, type SigningKeyRingProps } from '../../../lib/constructs/ring/signing-key-ring';
import { SigningPlane } from '../../../lib/constructs/ring/signing-plane';
import { VerifierCache } from '../../../lib/constructs/ring/verifier-cache';
import { parseSettings, SETTINGS } from '../../../lib/domain/deployment/settings';
import { ALGORITHMS, type SigningAlgorithm } from '../../../lib/domain/jose/algorithm';
import type { LegacyKeyConfig } from '../../../lib/domain/rings/configuration';
import type { Exemption } from '../../../lib/domain/rings/exemption';
import { curfewStacks } from '../../../lib/stacks/curfew-stacks';
import { extent } from '../../support/extent';
import { signingKey } from '../../support/keys';
import { seedFor } from '../../support/seeded';
import { type Refusal, refusalsOf } from '../refusals';
import { EXAMPLE, NO_CODE } from '../synthesised';

/** Rings that synthesise, and apps for each way in which one may be refused. */
const VALID = extent(5, 400);
const APPS_A_WAY = extent(1, 10);
const NOW = '2026-11-22T12:00:00Z';
const DAY = 86_400;
const EXEMPTION = {
  rule: 'ERR_RING_LIMIT',
  approver: 'CHG-7',
  reason: 'a partner that rotates with us',
  until: '2027-01-31',
};

beforeAll(() => {
  jest.useFakeTimers({ now: new Date(NOW) });
});
afterAll(() => {
  jest.useRealTimers();
});

/** A ring as the JSON file has it; a mutation may put anything anywhere. */
interface RingJson {
  readonly id: unknown;
  readonly issuer: unknown;
  readonly audience: unknown;
  readonly algorithm: unknown;
  readonly rotationCheckMinutes?: unknown;
  readonly periodDays: number;
  readonly maxTtlSeconds?: number;
  readonly standbyAgeSeconds?: number;
  readonly verifiers: readonly { readonly name: string; readonly cacheSeconds: number | 'unbounded' }[];
  readonly legacyKeys: readonly unknown[];
  readonly closing: unknown;
}

interface AppJson {
  readonly rings: readonly RingJson[];
  readonly exemptions: readonly Partial<Record<keyof Exemption, unknown>>[];
}

const doors = {
  json: ({ rings, exemptions }: AppJson) => {
    const text = JSON.stringify({ ...EXAMPLE, rings, exemptions });
    return (app: App) => {
      curfewStacks(app, parseConfiguration(JSON.parse(text)), NO_CODE);
    };
  },
  constructs:
    ({ rings, exemptions }: AppJson) =>
    (app: App) => {
      const stack = new Stack(app, 'Own', { env: { region: 'us-east-1' } });
      const common = { stage: 'trial', lambdas: NO_CODE } as const;
      const settings = parseSettings();
      const evidence = new EvidenceLog(stack, 'Log', {
        ...common,
        instance: 'own',
        settings,
        origin: 'example.com/own',
      });
      const plane = new SigningPlane(stack, 'Plane', {
        ...common,
        evidence,
        publicBaseUrl: 'https://keys.example.com',
        exemptions: exemptions as unknown as Exemption[],
      });
      rings.forEach((ring, n) => {
        new SigningKeyRing(stack, `Ring${n}`, { plane, ...propsOf(ring) });
      });
    },
} as const;
const door = fc.constantFrom(...(Object.keys(doors) as (keyof typeof doors)[]));

function propsOf(ring: RingJson): Omit<SigningKeyRingProps, 'plane'> {
  const seconds = (amount: number | undefined) => (amount === undefined ? undefined : Duration.seconds(amount));
  const minutes = ring.rotationCheckMinutes;
  return {
    ringId: ring.id,
    issuer: ring.issuer,
    audience: ring.audience,
    algorithm: ring.algorithm,
    rotationSchedule: minutes === undefined ? undefined : ScheduleExpression.expression(`rate(${minutes} minutes)`),
    period: Duration.days(ring.periodDays),
    maxTtl: seconds(ring.maxTtlSeconds),
    standbyAge: seconds(ring.standbyAgeSeconds),
    verifiers: ring.verifiers.map(({ name, cacheSeconds }) => ({
      name,
      cache: cacheSeconds === 'unbounded' ? VerifierCache.UNBOUNDED : VerifierCache.of(Duration.seconds(cacheSeconds)),
    })),
    legacyKeys: ring.legacyKeys as LegacyKeyConfig[],
    closing: ring.closing,
  } as Omit<SigningKeyRingProps, 'plane'>;
}

const KEYS = { ES256: signingKey('ES256'), EdDSA: signingKey('EdDSA'), RS256: signingKey('RS256') };
const legacyKey = fc.record({
  jwk: fc.constantFrom(...Object.values(KEYS).map(({ jwk }) => jwk)),
  verifyUntil: fc.integer({ min: 1_800_000_000, max: 1_900_000_000 }),
  approver: fc.constantFrom('CHG-1042', 'security council'),
});
const verifier = fc.record({
  name: fc.stringMatching(/^[A-Za-z0-9][\w./:-]{0,20}$/),
  cacheSeconds: fc.oneof(fc.integer({ min: 0, max: DAY / 2 }), fc.constant('unbounded' as const)),
});
const ringId = fc.stringMatching(/^[a-z][a-z0-9]{2,12}(-[a-z]{1,8}){0,2}$/);

const ring: fc.Arbitrary<RingJson> = fc
  .record({
    id: ringId,
    audience: fc.constantFrom('https://api.example.com', 'orders', 'urn:example:partners'),
    algorithm: fc.constantFrom(...(Object.keys(ALGORITHMS) as SigningAlgorithm[])),
    rotationCheckMinutes: fc.integer({ min: 1, max: 60 }),
    periodDays: fc.oneof(fc.integer({ min: 1, max: 90 }), fc.constant(1.5)),
    maxTtlSeconds: fc.option(fc.integer({ min: 60, max: DAY }), { nil: undefined }),
    waitsLonger: fc.option(fc.integer({ min: 0, max: DAY / 4 }), { nil: undefined }),
    verifiers: fc.array(verifier, { maxLength: 3 }),
    legacyKeys: fc.array(legacyKey, { maxLength: 2 }),
    closing: fc.boolean(),
  })
  .map(({ waitsLonger, ...rest }) => ({
    ...rest,
    issuer: `https://login.example.com/${rest.id}`,
    standbyAgeSeconds: waitsLonger === undefined ? undefined : neededBy(rest.verifiers) + waitsLonger,
  }));

function neededBy(verifiers: RingJson['verifiers']): number {
  const bounded = verifiers.flatMap(({ cacheSeconds }) => (cacheSeconds === 'unbounded' ? [] : [cacheSeconds]));
  return (
    SETTINGS.propagationSeconds.default +
    (bounded.length > 0 ? Math.max(...bounded) : SETTINGS.verifierCacheSeconds.default)
  );
}

const until = fc.integer({ min: 0, max: 365 }).map((days) => {
  return new Date(Date.parse(NOW) + days * DAY * 1000).toISOString().slice(0, 10);
});

const rings = fc.uniqueArray(ring, { minLength: 2, maxLength: 8, selector: ({ id }) => pascal(id as string) });

/** One of the rings may have a longer period, by an exemption. */
const validApp: fc.Arbitrary<AppJson> = fc
  .record({
    rings,
    longer: fc.option(fc.record({ periodDays: fc.integer({ min: 91, max: 366 }), until }), { nil: undefined }),
  })
  .map(({ rings, longer }) => {
    const [first, ...others] = rings;
    if (!longer || !first) return { rings, exemptions: [] };
    const { periodDays } = longer;
    const { id: subject } = first;
    return {
      rings: [{ ...first, periodDays }, ...others],
      exemptions: [{ ...EXEMPTION, subject, until: longer.until }],
    };
  });

interface Mutation {
  readonly says: string;
  readonly code: string;
  /** What becomes of a valid ring. */
  readonly of: (ring: RingJson) => fc.Arbitrary<RingJson>;
}

const replaced =
  <M extends keyof RingJson>(member: M, values: fc.Arbitrary<unknown>) =>
  (from: RingJson) =>
    values.map((value) => ({ ...from, [member]: value }) as RingJson);
const oneOf = (...values: unknown[]) => fc.constantFrom(...values);

const MUTATIONS: readonly Mutation[] = [
  { says: 'no schedule', code: 'ERR_RING_SCHEDULE', of: replaced('rotationCheckMinutes', oneOf(undefined)) },
  {
    says: 'a schedule that asks too seldom, or never',
    code: 'ERR_RING_SCHEDULE',
    of: replaced('rotationCheckMinutes', fc.oneof(fc.integer({ min: 61, max: 10_000 }), oneOf(0, 1.5, -5))),
  },
  {
    says: 'a period over or under the limits',
    code: 'ERR_RING_LIMIT',
    of: replaced('periodDays', fc.oneof(fc.integer({ min: 91, max: 5000 }), oneOf(0, 0.01))),
  },
  {
    says: 'a token life over or under the limits',
    code: 'ERR_RING_LIMIT',
    of: replaced('maxTtlSeconds', fc.oneof(fc.integer({ min: DAY + 1, max: 9 * DAY }), oneOf(0, 59, 60.5))),
  },
  {
    says: 'a standby age below what verifiers cache',
    code: 'ERR_RING_STANDBY_AGE',
    of: (from) =>
      fc
        .integer({ min: 0, max: neededBy(from.verifiers) - 1 })
        .map((standbyAgeSeconds) => ({ ...from, standbyAgeSeconds })),
  },
  {
    says: 'a standby age that no STANDBY reaches in time',
    code: 'ERR_RING_STANDBY_AGE',
    of: (from) =>
      fc.integer({ min: 1, max: DAY }).map((more) => ({ ...from, standbyAgeSeconds: from.periodDays * DAY + more })),
  },
  {
    says: 'a verifier that caches for longer than the period',
    code: 'ERR_RING_STANDBY_AGE',
    of: (from) =>
      fc.integer({ min: 2 * DAY, max: 30 * DAY }).map((cacheSeconds) => ({
        ...from,
        periodDays: 1,
        standbyAgeSeconds: undefined,
        verifiers: [...from.verifiers, { name: 'slow', cacheSeconds }],
      })),
  },
  {
    says: 'a name that is none',
    code: 'ERR_CONFIG_INVALID',
    of: replaced('id', oneOf('', 'a', 'Customer-Api', '-api', 'api-', 'a_b', 'a b', 'a/b', `x${'y'.repeat(40)}`)),
  },
  {
    says: 'an issuer that is no https URL of its own',
    code: 'ERR_CONFIG_INVALID',
    of: replaced(
      'issuer',
      oneOf(
        '',
        'login.example.com',
        'http://a.example/r',
        'https://a.example/r/',
        'https://a.example/r?x=1',
        'https://a@b.example/r',
      ),
    ),
  },
  { says: 'no audience', code: 'ERR_CONFIG_INVALID', of: replaced('audience', oneOf('', ' ')) },
  {
    says: 'an algorithm that no ring may use',
    code: 'ERR_CONFIG_INVALID',
    of: replaced('algorithm', oneOf('HS256', 'none', 'es256', 'RS512', '')),
  },
  {
    says: 'a verifier without a name, or that caches for longer than a month',
    code: 'ERR_CONFIG_INVALID',
    of: replaced('verifiers', oneOf([{ name: '', cacheSeconds: 1 }], [{ name: 'old', cacheSeconds: 31 * DAY }])),
  },
  {
    says: 'a legacy key that is private, unapproved or without an end',
    code: 'ERR_CONFIG_INVALID',
    of: (from) =>
      legacyKey.chain((legacy) =>
        oneOf(
          { ...legacy, jwk: KEYS.EdDSA.privateKey.export({ format: 'jwk' }) },
          { ...legacy, approver: '' },
          { ...legacy, verifyUntil: undefined },
          { ...legacy, jwk: { kty: 'oct', k: 'AAAA' } },
        ).map((one) => ({ ...from, legacyKeys: [one] })),
      ),
  },
];

/** What is no ring's fault, and what the parser of the file refuses before there is an app. */
const OF_THE_APP: readonly {
  readonly says: string;
  readonly of: (
    valid: readonly RingJson[],
    by: keyof typeof doors,
  ) => fc.Arbitrary<Omit<Drawn, 'by'> & { by?: Drawn['by'] }>;
}[] = [
  {
    says: 'an exemption that is not approved, not dated, past, for too long, from what has none',
    of: (rings, by) =>
      oneOf(
        { approver: '' },
        { approver: undefined },
        { reason: ' ' },
        { until: undefined },
        { until: '2026-11-21' },
        { until: '2026-02-30' },
        { until: '2028-01-01' },
        { rule: 'ERR_RING_SCHEDULE' },
        { surprise: true },
      ).map((change) => ({
        app: { rings, exemptions: [{ ...EXEMPTION, subject: rings[0]?.id, ...(change as object) }] },
        expected: [{ code: 'ERR_EXEMPTION', at: by === 'json' ? 'curfew-example-signing/Plane' : 'Own/Plane' }],
      })),
  },
  {
    says: 'two rings of one name',
    of: (rings, by) =>
      fc.constant({
        app: { rings: [...rings, rings[0] as RingJson], exemptions: [] },
        expected: [{ code: 'ERR_CONFIG_INVALID', at: by === 'json' ? undefined : `Own/Ring${rings.length}` }],
      }),
  },
  {
    says: 'a member of another type, or that nobody knows',
    of: ([first, ...others]) =>
      oneOf(
        { periodDays: '30' },
        { periodDays: -1 },
        { rotationCheckMinutes: '5' },
        { closing: 'no' },
        { verifiers: [7] },
        { surprise: 1 },
      ).map((change) => ({
        by: 'json',
        app: { rings: [{ ...(first as RingJson), ...(change as object) }, ...others], exemptions: [] },
        expected: [{ code: 'ERR_CONFIG_INVALID', at: undefined }],
      })),
  },
];

interface Drawn {
  readonly by: keyof typeof doors;
  readonly app: AppJson;
  readonly expected: readonly { readonly code: string; readonly at: string | undefined }[];
}

/** Each ring of an app has a mutation of its own, the first one this: all of them are to be reported at once. */
const appOfInvalidRings = (first: Mutation): fc.Arbitrary<Drawn> =>
  fc.tuple(door, rings).chain(([by, valid]) =>
    fc
      .tuple(
        ...valid.map((one, n) =>
          (n === 0 ? fc.constant(first) : fc.constantFrom(...MUTATIONS)).chain((row) =>
            row.of(one).map((ring) => ({ row, ring })),
          ),
        ),
      )
      .map((mutated) => mutated.filter(({ ring }, n) => n === mutated.findIndex((other) => other.ring.id === ring.id)))
      .map((mutated) => ({
        by,
        app: { rings: mutated.map(({ ring }) => ring), exemptions: [] },
        expected: mutated.map(({ row: { code }, ring }, n) => ({ code, at: pathOf(by, ring, n) })),
      })),
  );

const invalidApp = (row: (typeof OF_THE_APP)[number]): fc.Arbitrary<Drawn> =>
  fc.tuple(rings, door).chain(([valid, by]) => row.of(valid, by).map((drawn) => ({ ...drawn, by: drawn.by ?? by })));

/** Apps of every row, each row with draws of its own; what is of the app has many ways in one row. */
const INVALID: readonly Drawn[] = [
  ...OF_THE_APP.map((row) => ({ says: row.says, apps: invalidApp(row), numRuns: extent(1, 3) * APPS_A_WAY })),
  ...MUTATIONS.map((row) => ({ says: row.says, apps: appOfInvalidRings(row), numRuns: APPS_A_WAY })),
].flatMap(({ says, apps, numRuns }) => fc.sample(apps, { numRuns, seed: seedFor(says) }));

function pathOf(by: keyof typeof doors, { id }: RingJson, n: number): string {
  return by === 'json' ? `curfew-example-signing/Ring-${String(id).replaceAll('/', '--')}` : `Own/Ring${n}`;
}

test('random rings that are valid synthesise', () => {
  let valid = 0;
  for (const [by, app] of fc.sample(fc.tuple(door, validApp), { numRuns: VALID })) {
    if (valid >= VALID) break;
    expect([by, app, refusalsOf(doors[by](app))]).toEqual([by, app, []]);
    valid += app.rings.length;
  }
  expect(valid).toBeGreaterThanOrEqual(VALID);
  process.stdout.write(`ring configurations: ${valid} valid synthesised\n`);
});

test('random rings that are invalid, in every way there is, are refused with the right code and no other', () => {
  const refused: Record<string, number> = {};
  for (const { by, app, expected } of INVALID) {
    const refusals = refusalsOf(doors[by](app));
    const said = refusals.map(({ code, at }) => ({ code, at }));
    expect([by, app.rings, said]).toEqual([by, app.rings, expect.arrayContaining(expected as unknown[])]);
    expect([by, app.rings, said.length]).toEqual([by, app.rings, expected.length]);
    for (const refusal of refusals) expect([refusal, isComplete(refusal)]).toEqual([refusal, true]);
    for (const { code } of expected) refused[code] = (refused[code] ?? 0) + 1;
  }
  expect(Object.keys(refused).sort()).toEqual([
    'ERR_CONFIG_INVALID',
    'ERR_EXEMPTION',
    'ERR_RING_LIMIT',
    'ERR_RING_SCHEDULE',
    'ERR_RING_STANDBY_AGE',
  ]);
  process.stdout.write(`ring configurations: invalid refused ${JSON.stringify(refused)}\n`);
});

/** The value got, the values allowed, the fix. What is thrown before there is a report carries them as members. */
function isComplete({ at, says, fix }: Refusal): boolean {
  return fix !== undefined && (at === undefined || (says.includes('; got ') && says.includes('; allowed: ')));
}
