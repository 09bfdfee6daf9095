/** What a record cannot hold is refused before the key, the cut-off or the user changes: nothing is left without a record. */
import fc from 'fast-check';
import { append } from '../../lambdas/appender';
import { cutOff } from '../../lambdas/cutter';
import { haltOrResume } from '../../lambdas/halt';
import { applyLatch } from '../../lambdas/latch';
import { applyRingConfig } from '../../lambdas/ring-deployer';
import { rotate } from '../../lambdas/rotator';
import { taintOrDeny } from '../../lambdas/taint';
import { isCurfewError } from '../../lib/domain/base/errors';
import { transition } from '../../lib/domain/cases/transitions';
import { recordFrom } from '../../lib/domain/evidence/record';
import { fenced } from '../../lib/domain/rings/fence';
import type { CaseMeta } from '../../lib/domain/store/case';
import { parseOutbox } from '../../lib/domain/store/outbox';

import { OUTBOX_PREFIX } from '../../lib/domain/store/table';
import { setCutOff } from '../../lib/domain/tokens/cut-off-transitions';
import { extent } from '../support/extent';
import { signingKey } from '../support/keys';
import { AUDIENCE, ISSUER, NOW, RING, ringOf, type SigningWorld, signingWorld } from './signing-world';

/** Any code point, line breaks and lone surrogates among them, and now and then more than fits. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 250 }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 30 }).map((units) => String.fromCharCode(...units)),
  fc.constantFrom('x'.repeat(70_000), 'it \u001b[31mburns', 'two\nlines', '\ud800', '\u202ederaeppasid', ''),
  fc.constantFrom('CHG-7', 'laptop of W-1042 was lost', 'Schlüssel kopiert — siehe ☎'),
);
const anyCaseId = fc.oneof(
  fc.constantFrom('c-Xb41kQ', `c-${'x'.repeat(22)}`),
  anyText,
  fc.constantFrom('c-1 ', 'c 1', `c-${'x'.repeat(23)}`, 'c-', 'c-1/opened', 'c-1\n'),
);

/** By day few are drawn: so both outcomes are seen in every run. */
const BOTH_OUTCOMES: [string, string][] = [
  ['CHG-7', 'c-Xb41kQ'],
  ['x'.repeat(70_000), 'c-1/opened'],
];

const second = signingKey();

type Handlers = { readonly [name: string]: (world: SigningWorld, reason: string, caseId: string) => Promise<unknown> };
const HANDLERS: Handlers = {
  halt: (world, reason) => haltOrResume({ op: 'halt', ring: RING, reason }, world.deps('halt')),
  rotator: async (world, reason) => {
    const { activeKid: from = '' } = await ringOf(world);
    return rotate({ op: 'rotate', ring: RING, from, reason }, world.deps('rotator'));
  },
  taint: (world, reason, caseId) =>
    taintOrDeny(
      { op: 'taint', ring: RING, caseId, targets: [{ kid: world.legacy.jwk.kid, class: 'planned', reason }] },
      world.deps('taint'),
    ),
  cutter: (world, _reason, caseId) =>
    cutOff({ ring: RING, subjects: [{ type: 'sub', value: 'mallory' }], caseId, notBefore: NOW }, world.deps('cutter')),
  latch: (world, _reason, caseId) => applyLatch({ userName: 'mallory', caseId }, world.deps('latch')),
  'ring-deployer': (world, approver) =>
    applyRingConfig(
      {
        id: RING,
        issuer: ISSUER,
        audience: AUDIENCE,
        algorithm: 'ES256',
        periodSeconds: 30 * 86_400,
        maxTtlSeconds: 3600,
        legacyKeys: [
          { jwk: world.legacy.jwk, verifyUntil: NOW + 90 * 86_400, approver: 'CHG-7' },
          { jwk: second.jwk, verifyUntil: NOW + 30 * 86_400, approver },
        ],
      },
      world.deps('ring-deployer'),
    ),
};

const META: CaseMeta = {
  kind: 'departure',
  caseId: 'c-1',
  workerId: 'W-1042',
  pseudonym: 'p',
  act: 'end',
  number: 1,
  effectiveAt: NOW,
  finalAt: NOW,
  voices: [],
  questions: [],
  state: 'CONTAINED',
  version: 1,
  attempt: 1,
  fence: 1,
  dueAt: NOW,
  source: 'hr',
  corroboration: 'signed-fact',
  hrEventAt: NOW,
  acceptedAt: NOW,
  openedAt: NOW,
};

async function everything(world: SigningWorld): Promise<unknown> {
  const [{ arn = '', tags = {} } = {}, policies] = [
    await world.iam.user('mallory'),
    await world.iam.attachedPolicyArns('mallory'),
  ];
  const kms = await Promise.all(
    (await ringOf(world)).keys.map(({ kmsKeyArn }) => kmsKeyArn && world.deps('rotator').ringKeys.describe(kmsKeyArn)),
  );
  return { keys: world.tables.dump('keys'), cutOffs: world.tables.dump('cut-offs'), arn, tags, policies, kms };
}

async function begun(): Promise<SigningWorld> {
  const world = await signingWorld();
  world.iam.addUser('mallory', { accessKeyIds: [], loginProfile: false });
  world.tables.takeStream('keys');
  return world;
}

describe.each(Object.keys(HANDLERS))('%s, given any reason and any case id', (name) => {
  test('leaves records that the log takes, or refuses and changes nothing', async () => {
    const counts = { taken: 0, refused: 0 };
    const property = fc.asyncProperty(anyText, anyCaseId, async (reason, caseId) => {
      const world = await begun();
      const before = await everything(world);
      try {
        await HANDLERS[name]?.(world, reason, caseId);
        counts.taken++;
      } catch (error) {
        if (!isCurfewError(error)) throw error;
        expect(['ERR_INPUT_INVALID', 'ERR_CONFIG_INVALID']).toContain(error.code);
        expect(await everything(world)).toEqual(before);
        counts.refused++;
      }
      const rows = [...world.tables.dump('keys'), ...world.tables.dump('cut-offs')];
      const out = rows
        .filter(({ sk }) => sk.startsWith(OUTBOX_PREFIX))
        .map((row) => recordFrom(parseOutbox(row).record));
      await append({ records: out }, world.deps('appender'));
    });
    await fc.assert(property, { numRuns: extent(6, 200), examples: BOTH_OUTCOMES });
    expect(Math.min(counts.taken, counts.refused)).toBeGreaterThan(0);
  });
});

test.each([
  ['a cut-off at a fraction of a second', NOW + 0.5],
  ['a cut-off that is no number', Number.NaN],
  ['a cut-off before all time', -1],
])('%s is refused, and nobody is cut off', async (_what, notBefore) => {
  const world = await begun();
  const subjects = [{ type: 'sub', value: 'mallory' }] as const;
  const asked = cutOff({ ring: RING, subjects, caseId: 'c-1', notBefore }, world.deps('cutter'));
  await expect(asked).rejects.toMatchObject({ code: 'ERR_INPUT_INVALID', message: 'the cut-off is not an instant' });
  expect(world.tables.dump('cut-offs')).toEqual([]);
});

test.each([
  ['a body of 70,000 characters', { reason: 'x'.repeat(70_000) }],
  ['half a number', { n: 0.5 }],
])('no transition of a ring, a cut-off or a case can be built with %s', async (_what, body) => {
  const ring = await ringOf(await begun());
  const refused = expect.objectContaining({ code: 'ERR_EVIDENCE_RECORD' });
  expect(() => fenced(ring, NOW, [{ type: 'ring.updated', body }], [])).toThrow(refused);
  expect(() => setCutOff({ ring: RING, blinded: 'x'.repeat(70_000), caseId: 'c-1' }, NOW, NOW)).toThrow(refused);
  const record = { v: 1, id: 'c-1/held/1', type: 'case.held', at: NOW, case: 'c-1', body } as const;
  expect(() => transition(META, { state: 'ACTING' }, [{ record }])).toThrow(refused);
});
