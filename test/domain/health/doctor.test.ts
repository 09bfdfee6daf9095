import { feedAt } from '../../../lib/domain/feed/feed';
import { discovery, jwksAt } from '../../../lib/domain/feed/publication';
import { type AlarmFacts, expectedAlarms } from '../../../lib/domain/health/alarm-diagnosis';
import { diagnose, type InstanceFacts, tally } from '../../../lib/domain/health/doctor';
import type { FindingState } from '../../../lib/domain/health/finding';
import type { RingFacts } from '../../../lib/domain/health/ring-diagnosis';
import { keyPolicy } from '../../../lib/domain/rings/key-policy';
import type { KeyRecord, Ring } from '../../../lib/domain/rings/ring';
import { KMS_QUOTAS } from '../../support/looks';
import { activeRecord, CFG, DAY, keyRecord, NOW, ringWith } from '../../support/rings';

const AT = NOW + 10 * DAY;
const BASE = 'https://curfew.test';
const role = (name: string) => `arn:aws:iam::000000000000:role/curfew-test-${name}`;
const ROLES: RingFacts['roles'] = {
  accountId: '000000000000',
  roleArns: {
    issuer: role('issuer'),
    resigner: role('resigner'),
    rotator: role('rotator'),
    disabler: role('disabler'),
  },
};
const EXEMPTION = {
  rule: 'ERR_RING_LIMIT' as const,
  subject: 'customer-api',
  approver: 'CHG-7',
  reason: 'a partner rotates yearly',
  until: '2027-12-31',
};
const cfg = { ...CFG, verifiers: [{ name: 'checkout', cacheSeconds: 60 }] };
const written = ({ alg, signUntil }: KeyRecord) => keyPolicy({ ...ROLES, algorithm: alg, signUntil });
const ok = (json: unknown) => ({ status: 200, body: JSON.stringify(json) });

/** A ring, and all that one sees of it where nothing is wrong. */
function ringFacts(ring: Ring = ringWith({ cfg }), more: Partial<RingFacts> = {}): RingFacts {
  const own = ring.keys.filter(({ kind }) => kind === 'kms');
  return {
    ring,
    at: AT,
    publicBaseUrl: BASE,
    jwks: ok(jwksAt(ring, AT)),
    discovery: ok(discovery(ring, BASE)),
    discovered: { document: ok(discovery(ring, BASE)) },
    feed: { seen: feedAt(ring, [], AT, AT - 30, 300) },
    kms: Object.fromEntries(
      own.map((key) => [
        key.kid,
        {
          state: { seen: key.kid === ring.activeKid ? 'Enabled' : 'Disabled' },
          policy: { seen: written(key) },
          grants: { seen: [] },
        },
      ]),
    ),
    roles: ROLES,
    waves: {},
    watchedAt: { seen: AT - 60 },
    ...more,
  };
}

const PUBLISHER = role('publisher');
const ROOT = 'arn:aws:iam::000000000000:root';
const allowing = (AWS: unknown, ...Action: readonly string[]) => ({
  Effect: 'Allow',
  Principal: { AWS },
  Action,
  Resource: '*',
});
const ONE_SIGNER = [allowing(PUBLISHER, 'kms:Sign'), allowing(ROOT, 'kms:Get*', 'kms:PutKeyPolicy')];
const NO_GRANTS = { Effect: 'Deny', Principal: { AWS: '*' }, Action: 'kms:CreateGrant', Resource: '*' };
const policy = (...Statement: readonly unknown[]) => ({ seen: JSON.stringify({ Version: '2012-10-17', Statement }) });
const FEED_KEY: InstanceFacts['purposeKeys'][string] = {
  signer: { seen: PUBLISHER },
  policy: policy(...ONE_SIGNER, NO_GRANTS),
  grants: { seen: [] },
};
const withFeedKey = (more: Partial<typeof FEED_KEY>) => facts({ purposeKeys: { feed: { ...FEED_KEY, ...more } } });
const withPolicy = (...statements: readonly unknown[]) => withFeedKey({ policy: policy(...statements) });

/** Every alarm as it should be, but for those that `change` names by what their names end with; undefined deletes. */
function withAlarms(
  change: Readonly<Record<string, Partial<AlarmFacts> | undefined>>,
  more: Partial<InstanceFacts> = {},
) {
  const given = facts(more);
  const seen = expectedAlarms(given).flatMap((name) => {
    const [, changed = {}] = Object.entries(change).find(([end]) => name.endsWith(end)) ?? [];
    const gone = Object.keys(change).some((end) => name.endsWith(end) && change[end] === undefined);
    return gone ? [] : [{ name, state: 'OK', hasAction: true, isMuted: false, ...changed }];
  });
  return { ...given, alarms: { seen } };
}

function facts(more: Partial<InstanceFacts> = {}): InstanceFacts {
  const complete = 'CREATE_COMPLETE';
  const all = {
    instance: 'prod',
    at: AT,
    stacks: { evidence: complete, signing: 'UPDATE_COMPLETE', offboarding: complete },
    stage: { seen: 'production' },
    rings: { seen: [ringFacts()] },
    webhookSecrets: { 'people-system': { seen: true } },
    people: { seen: { items: 12, tableMadeAt: NOW } },
    purposeKeys: { feed: FEED_KEY },
    concurrency: { seen: { limit: 1000, peak: 41 } },
    kmsQuotas: { seen: KMS_QUOTAS },
    rotatorArn: { seen: role('rotator') },
    births: { ECC_NIST_P256: { seen: { allowed: true, missing: [] } } },
    ...more,
  };
  const alarms = { seen: expectedAlarms(all).map((name) => ({ name, state: 'OK', hasAction: true, isMuted: false })) };
  return { alarms, ...all };
}
/** Of one ring. */
const ALARMS = expectedAlarms(facts()).length;
const withRing = (ring: Partial<Ring>, more: Partial<RingFacts> = {}, of: Partial<InstanceFacts> = {}) =>
  facts({ rings: { seen: [ringFacts(ringWith({ cfg, ...ring }), more)] }, ...of });
const seenOf = (more: Partial<RingFacts>) => withRing({}, more);
const withKms = (kid: string, more: Partial<RingFacts['kms'][string]>) => {
  const whole = ringFacts();
  const key = whole.kms[kid];
  if (!key) throw new Error(`no key ${kid}`);
  return seenOf({ kms: { ...whole.kms, [kid]: { ...key, ...more } } });
};
const withVerifying = (more: Partial<RingFacts['kms'][string]>, state: KeyRecord['state'] = 'VERIFY_ONLY') => {
  const key = keyRecord(9, { state, activatedAt: NOW, deactivatedAt: NOW + DAY });
  const ring = ringWith({ cfg, keys: [...ringWith().keys, key] });
  const whole = ringFacts(ring);
  const seen = { ...whole.kms[key.kid], ...more } as RingFacts['kms'][string];
  return facts({ rings: { seen: [{ ...whole, kms: { ...whole.kms, [key.kid]: seen } }] } });
};
const [active, standby, other] = ringWith().keys as [KeyRecord, KeyRecord, KeyRecord];
const short = ({ kid }: KeyRecord) => kid.slice(0, 8);
const ENABLED = `${short(active)} (ACTIVE) is Enabled`;

test('where nothing is wrong everything is ok', () => {
  const findings = diagnose(facts());
  expect(findings.filter(({ state }) => state !== 'ok').map(({ check }) => check)).toEqual([]);
  expect(tally(findings)).toEqual({ ok: findings.length, problem: 0, unknown: 0 });
  expect(findings.every(({ state, fix }) => (state === 'ok') === (fix === undefined))).toBe(true);
});

const DRIFT: readonly (readonly [string, InstanceFacts, FindingState, string, string | RegExp])[] = [
  // stacks
  [
    'a stack is missing',
    facts({ stacks: { ...facts().stacks, offboarding: undefined } }),
    'problem',
    'stack offboarding',
    'not deployed',
  ],
  [
    'a deployment was rolled back',
    facts({ stacks: { signing: 'UPDATE_ROLLBACK_COMPLETE' } }),
    'problem',
    'stack signing',
    'UPDATE_ROLLBACK_COMPLETE',
  ],
  [
    'a deployment runs',
    facts({ stacks: { signing: 'UPDATE_IN_PROGRESS' } }),
    'unknown',
    'stack signing',
    'UPDATE_IN_PROGRESS',
  ],
  ['it is a trial', facts({ stage: { seen: 'trial' } }), 'problem', 'stage', /^trial: /],
  ['no stack says its stage', facts({ stage: { unseen: 'no stack says it' } }), 'unknown', 'stage', 'no stack says it'],
  // never configured
  ['there is no ring', facts({ rings: { seen: [] } }), 'problem', 'rings', 'none'],
  [
    'the rings cannot be read',
    facts({ rings: { unseen: 'AccessDenied' } }),
    'unknown',
    'rings',
    'could not read the Keys table: AccessDenied',
  ],
  [
    'there is no HR source',
    facts({ webhookSecrets: {} }),
    'problem',
    'HR sources',
    'none: Curfew learns of no departure',
  ],
  [
    'a webhook secret has no value',
    facts({ webhookSecrets: { bamboohr: { seen: false } } }),
    'problem',
    'secret of bamboohr',
    /was never given a value/,
  ],
  [
    'a secret may not be looked at',
    facts({ webhookSecrets: { bamboohr: { unseen: 'AccessDenied' } } }),
    'unknown',
    'secret of bamboohr',
    'AccessDenied',
  ],
  [
    'nobody was imported',
    facts({ people: { seen: { items: 0, tableMadeAt: NOW } } }),
    'problem',
    'people',
    /^none imported/,
  ],
  [
    'a table is too young to be counted',
    facts({ people: { seen: { items: 0, tableMadeAt: AT - 600 } } }),
    'unknown',
    'people',
    /every six hours/,
  ],
  [
    'there is no alarm',
    facts({ alarms: { seen: [] } }),
    'problem',
    'alarms',
    /^\d+ of \d+ missing: customer-api-ActiveKeyAge, .*, offboarding-DeadLetters$/,
  ],
  [
    'an alarm rings',
    withAlarms({ 'api-FeedAge': { state: 'ALARM' } }),
    'problem',
    'alarms',
    'customer-api-FeedAge: ALARM',
  ],
  [
    'an alarm was deleted',
    withAlarms({ 'api-KeyPolicyPuts': undefined }),
    'problem',
    'alarms',
    `1 of ${ALARMS} missing: customer-api-KeyPolicyPuts`,
  ],
  [
    'the alarms are those of an instance whose name begins the same',
    {
      ...facts(),
      alarms: {
        seen: expectedAlarms({ ...facts(), instance: 'prod-eu' }).map((name) => ({
          name,
          state: 'OK',
          hasAction: true,
          isMuted: false,
        })),
      },
    },
    'problem',
    'alarms',
    /^\d+ of \d+ missing: /,
  ],
  [
    'an alarm has no figures to judge by',
    withAlarms({ SignErrors: { state: 'INSUFFICIENT_DATA' } }),
    'unknown',
    'alarms',
    `1 of ${ALARMS} have no data yet: SignErrors`,
  ],
  [
    'the rings are not known, so neither are their alarms',
    withAlarms({}, { rings: { unseen: 'AccessDenied' } }),
    'unknown',
    'alarms',
    'the list of rings could not be read',
  ],
  [
    'an alarm tells nobody',
    withAlarms({ 'api-FeedAge': { hasAction: false } }),
    'problem',
    'alarm actions',
    `1 of ${ALARMS} alarms have no action`,
  ],
  [
    'somebody disabled the actions of an alarm',
    withAlarms({ 'api-FeedAge': { isMuted: true } }),
    'problem',
    'alarm actions',
    `the actions of 1 of ${ALARMS} alarms are disabled: customer-api-FeedAge`,
  ],
  [
    'somebody disabled the actions of all alarms',
    withAlarms({ '': { isMuted: true } }),
    'problem',
    'alarm actions',
    /^the actions of (\d+) of \1 alarms are disabled: [\w-]+, [\w-]+, [\w-]+, …$/,
  ],
  [
    'a closing ring lacks the alarm that no closing ring has',
    withAlarms({}, { rings: { seen: [ringFacts(ringWith({ cfg, closingAt: AT }))] } }),
    'ok',
    'alarms',
    `0 of ${ALARMS - 1} in state ALARM`,
  ],
  [
    'no verifier is declared',
    withRing({ cfg: CFG }),
    'problem',
    'verifiers',
    'none declared: the cache age of 1 min is a guess',
  ],
  [
    'a verifier has no cache limit',
    withRing({ cfg: { ...cfg, verifiers: [{ name: 'old-gateway', cacheSeconds: 'unbounded' }] } }),
    'unknown',
    'verifiers',
    /^old-gateway may accept/,
  ],
  // quotas
  [
    'the account is new to Lambda',
    facts({ concurrency: { seen: { limit: 10 } } }),
    'problem',
    'quota of Lambda',
    /^10 concurrent .* is not known$/,
  ],
  [
    'nobody tells how much of the quota is used',
    facts({ concurrency: { seen: { limit: 1000 } } }),
    'unknown',
    'quota of Lambda',
    /the peak of the last day is not known$/,
  ],
  [
    'others use up the quota',
    facts({ concurrency: { seen: { limit: 1000, peak: 900 } } }),
    'problem',
    'quota of Lambda',
    /was 900$/,
  ],
  [
    'the endpoint does not tell',
    facts({ concurrency: { unseen: 'InvalidAction' } }),
    'unknown',
    'quota of Lambda',
    'InvalidAction',
  ],
  [
    'KMS signs less than issuing lets in',
    facts({ kmsQuotas: { seen: { ...KMS_QUOTAS, 'Cryptographic operations (ECC) request rate': 300 } } }),
    'problem',
    'quota of KMS',
    'per second: ECC signatures 300, issuing lets in 500; CreateKey 5; EnableKey 5; DisableKey 5',
  ],
  [
    'a ring needs RSA, of which KMS gives less',
    withRing(
      { cfg: { ...cfg, alg: 'RS256' } },
      {},
      { kmsQuotas: { seen: { ...KMS_QUOTAS, 'Cryptographic operations (RSA) request rate': 100 } } },
    ),
    'problem',
    'quota of KMS',
    /^per second: RSA signatures 100, issuing lets in 500; /,
  ],
  [
    'KMS changes fewer keys than a birth takes',
    facts({ kmsQuotas: { seen: { ...KMS_QUOTAS, 'CreateKey request rate': 1 } } }),
    'problem',
    'quota of KMS',
    /CreateKey 1; EnableKey 5/,
  ],
  [
    'Service Quotas does not know what we look for',
    facts({ kmsQuotas: { seen: { ...KMS_QUOTAS, 'DisableKey request rate': undefined as unknown as number } } }),
    'unknown',
    'quota of KMS',
    'Service Quotas does not list "DisableKey request rate"',
  ],
  [
    'the endpoint has no Service Quotas',
    facts({ kmsQuotas: { unseen: 'UnknownOperationException' } }),
    'unknown',
    'quota of KMS',
    'Service Quotas did not answer: UnknownOperationException',
  ],
  // exemptions
  [
    'an exemption has long to go',
    withRing({ cfg: { ...cfg, exemptions: [EXEMPTION] } }),
    'ok',
    'exemption',
    /until 2027-12-31, approved by CHG-7$/,
  ],
  [
    'an exemption nears its end',
    withRing({ cfg: { ...cfg, exemptions: [{ ...EXEMPTION, until: '2027-02-10' }] } }),
    'problem',
    'exemption',
    /ends in 16 d 16 h$/,
  ],
  [
    'an exemption is over',
    withRing({ cfg: { ...cfg, exemptions: [{ ...EXEMPTION, until: '2027-01-20' }] } }),
    'problem',
    'exemption',
    /ended on 2027-01-20$/,
  ],
  // issuing
  ['the ring is halted', withRing({ halted: true }), 'problem', 'issuing', 'halted: nothing is issued'],
  [
    'the ring is closing',
    withRing({ closingAt: AT }),
    'ok',
    'issuing',
    /^closing: the ring ends at 2027-01-25T09:00:30Z$/,
  ],
  [
    'no key is ACTIVE',
    withRing({ keys: [keyRecord(1)], activeKid: undefined }),
    'problem',
    'issuing',
    '0 keys ACTIVE, and the ring names none',
  ],
  ['two keys are ACTIVE', withRing({ keys: [active, activeRecord(2), other] }), 'problem', 'issuing', /^2 keys ACTIVE/],
  // KMS
  [
    'the ACTIVE key is disabled',
    withKms(active.kid, { state: { seen: 'Disabled' } }),
    'problem',
    'keys in KMS',
    `${short(active)} (ACTIVE) is Disabled`,
  ],
  [
    'the ACTIVE key waits for deletion',
    withKms(active.kid, { state: { seen: 'PendingDeletion' } }),
    'problem',
    'keys in KMS',
    `${short(active)} (ACTIVE) is PendingDeletion`,
  ],
  [
    'a STANDBY is enabled',
    withKms(standby.kid, { state: { seen: 'Enabled' } }),
    'problem',
    'keys in KMS',
    `${ENABLED}; ${short(standby)} (STANDBY) is Enabled`,
  ],
  ...['PendingDeletion', 'PendingImport', 'Unavailable', 'NotFound'].map(
    (state) =>
      [
        `a STANDBY is ${state}`,
        withKms(standby.kid, { state: { seen: state } }),
        'problem',
        'keys in KMS',
        `${ENABLED}; ${short(standby)} (STANDBY) is ${state}`,
      ] as const,
  ),
  [
    'a STANDBY that waits for deletion stands by for nothing',
    withKms(standby.kid, { state: { seen: 'PendingDeletion' } }),
    'problem',
    'STANDBYs',
    '1 of 2 stand by: a taint may have to wait for a key',
  ],
  [
    'a key that still verifies waits for deletion',
    withVerifying({ state: { seen: 'PendingDeletion' } }),
    'problem',
    'keys in KMS',
    `${ENABLED}; ${short(keyRecord(9))} (VERIFY_ONLY) is PendingDeletion`,
  ],
  [
    'a key that is RETIRED was deleted',
    withVerifying({ state: { seen: 'NotFound' }, grants: { unseen: 'NotFoundException' } }, 'RETIRED'),
    'ok',
    'keys in KMS',
    `${ENABLED}; the others: 2 Disabled, 1 NotFound`,
  ],
  [
    'somebody has a grant for a key',
    withKms(standby.kid, { grants: { seen: ['g-1'] } }),
    'problem',
    'KMS grants',
    `a grant gives a right beside the policy: grant g-1 of ${short(standby)}`,
  ],
  [
    'grants may not be listed',
    withKms(standby.kid, { grants: { unseen: 'AccessDenied' } }),
    'unknown',
    'KMS grants',
    'KMS did not answer for 1 key: AccessDenied',
  ],
  ...(
    [
      ['another role', allowing(role('somebody'), 'kms:Sign'), role('somebody')],
      ['a second role beside the right one', allowing([PUBLISHER, role('x')], 'kms:Sign'), role('x')],
      ['everybody', { Effect: 'Allow', Principal: '*', Action: 'kms:Sign' }, '*'],
      [
        'a service',
        { Effect: 'Allow', Principal: { Service: 's3.amazonaws.com' }, Action: 'kms:*' },
        's3.amazonaws.com',
      ],
      [
        'all but some',
        { Effect: 'Allow', NotPrincipal: { AWS: ROOT }, Action: 'kms:Sign' },
        'every principal that NotPrincipal does not except',
      ],
      ['a deleted role', allowing('AROAEXAMPLE7', 'kms:Sign'), 'AROAEXAMPLE7'],
      ['root, who may sign', allowing(ROOT, 'kms:*'), ROOT],
      ['root, who may hand it on', allowing(ROOT, 'kms:Create*'), ROOT],
      ['root, but for some actions', { Effect: 'Allow', Principal: { AWS: ROOT }, NotAction: 'kms:Get*' }, ROOT],
    ] as const
  ).map(
    ([who, statement, stranger]) =>
      [
        `in the policy of the feed key stands ${who}`,
        withPolicy(...ONE_SIGNER, statement),
        'problem',
        'feed key',
        `others may use it or hand it on: ${stranger}`,
      ] as const,
  ),
  [
    'somebody has a grant for the feed key',
    withFeedKey({ grants: { seen: ['g-1'] } }),
    'problem',
    'feed key',
    'others may use it or hand it on: grant g-1',
  ],
  [
    'the policy of the feed key may not be read',
    withFeedKey({ policy: { unseen: 'AccessDenied' } }),
    'unknown',
    'feed key',
    'could not be read in full: AccessDenied',
  ],
  [
    'an older stack does not say who signs the feed',
    withFeedKey({ signer: { unseen: 'RolePublisherArn' } }),
    'unknown',
    'feed key',
    'could not be read in full: RolePublisherArn',
  ],
  [
    'KMS does not tell',
    withKms(standby.kid, { state: { unseen: 'AccessDenied' } }),
    'unknown',
    'keys in KMS',
    'KMS did not answer for 1 key: AccessDenied',
  ],
  [
    'a policy was changed',
    withKms(other.kid, { policy: { seen: written(other).replace('kms:Sign', 'kms:*') } }),
    'problem',
    'key policies',
    `${short(other)} (STANDBY) is changed`,
  ],
  [
    'a role that a policy names was deleted',
    withKms(other.kid, { policy: { seen: written(other).replaceAll(ROLES.roleArns.issuer, 'AROAEXAMPLE7') } }),
    'problem',
    'key policies',
    `${short(other)} (STANDBY) is orphaned`,
  ],
  [
    'a policy has a later date',
    withKms(other.kid, { policy: { seen: written({ ...other, signUntil: other.signUntil + DAY }) } }),
    'problem',
    'key policies',
    `${short(other)} (STANDBY) is changed`,
  ],
  [
    'a policy may not be read',
    withKms(other.kid, { policy: { unseen: 'AccessDenied' } }),
    'unknown',
    'key policies',
    'KMS did not show 1 of 3: AccessDenied',
  ],
  [
    'the rotator saw what the caller may not',
    withRing({ keys: [active, standby, keyRecord(3, { policyState: 'unreadable' })] }),
    'problem',
    'key policies',
    `${short(other)} (STANDBY) is unreadable`,
  ],
  // publication
  [
    'the JWKS does not answer',
    seenOf({ jwks: { unreachable: 'nothing answered within five seconds' } }),
    'problem',
    'JWKS',
    'nothing answered within five seconds',
  ],
  ['the JWKS is an error', seenOf({ jwks: { status: 503, body: '' } }), 'problem', 'JWKS', 'answers 503'],
  [
    'the JWKS is a page',
    seenOf({ jwks: { status: 200, body: '<html>' } }),
    'problem',
    'JWKS',
    'the answer is not JSON',
  ],
  ['the JWKS is no set', seenOf({ jwks: ok('keys') }), 'problem', 'JWKS', 'the answer is not a JWKS'],
  [
    'the JWKS lacks a key',
    seenOf({ jwks: ok({ keys: [active.jwk, standby.jwk] }) }),
    'problem',
    'JWKS',
    `lacks ${short(other)}`,
  ],
  [
    'the JWKS has a key more',
    seenOf({ jwks: ok({ keys: [...jwksAt(ringWith(), AT).keys, keyRecord(9).jwk] }) }),
    'problem',
    'JWKS',
    `serves ${short(keyRecord(9))}, which it should not`,
  ],
  [
    'the JWKS has other material',
    seenOf({ jwks: ok({ keys: [{ ...keyRecord(9).jwk, kid: active.kid }, standby.jwk, other.jwk] }) }),
    'problem',
    'JWKS',
    'has the right kids, with other key material',
  ],
  [
    'discovery names another issuer',
    seenOf({ discovery: ok({ issuer: 'https://evil.example' }) }),
    'problem',
    'discovery',
    'says that iss is "https://evil.example"',
  ],
  [
    'discovery sends elsewhere',
    seenOf({ discovery: ok({ issuer: CFG.iss, jwks_uri: 'https://evil.example' }) }),
    'problem',
    'discovery',
    'sends verifiers to "https://evil.example" for keys',
  ],
  ['discovery is null', seenOf({ discovery: ok(null) }), 'problem', 'discovery', 'says that iss is undefined'],
  [
    'the feed is refused',
    seenOf({ feed: { seen: { refused: 'the signature of the feed does not verify' } } }),
    'problem',
    'feed',
    'verifiers refuse it: the signature of the feed does not verify',
  ],
  [
    'the feed is old',
    seenOf({ feed: { seen: feedAt(ringWith(), [], 1, AT - 121, 300) } }),
    'problem',
    'feed',
    'was signed 2 min 1 s ago',
  ],
  [
    'the feed names another key',
    seenOf({ feed: { seen: feedAt(ringWith({ keys: [keyRecord(1), activeRecord(2)] }), [], 1, AT, 300) } }),
    'problem',
    'feed',
    `says that ${short(standby)} is ACTIVE`,
  ],
  [
    'the feed announces a key that was made ready',
    seenOf({
      feed: {
        seen: feedAt(
          ringWith({ keys: [active, keyRecord(2, { kmsState: 'Enabled', preparedAt: AT })] }),
          [],
          1,
          AT,
          300,
        ),
      },
    }),
    'ok',
    'feed',
    'signed 0 s ago under the feed key, names the ACTIVE key',
  ],
  [
    'the feed key cannot be read',
    seenOf({ feed: { unseen: 'AccessDenied' } }),
    'unknown',
    'feed',
    'the feed key could not be read: AccessDenied',
  ],
  // life
  [
    'one STANDBY is left',
    withRing({ keys: [active, standby] }),
    'problem',
    'STANDBYs',
    '1 of 2 stand by: a taint may have to wait for a key',
  ],
  [
    'a STANDBY was never published',
    withRing({ keys: [active, standby, keyRecord(3, { confirmedAt: undefined })] }),
    'problem',
    'STANDBYs',
    `${short(other)} was never seen in the JWKS`,
  ],
  [
    'the rotation is overdue',
    withRing({ keys: [activeRecord(1, { activatedAt: NOW - 21 * DAY }), standby, other] }),
    'problem',
    'rotation',
    'overdue by 1 d',
  ],
  [
    'the rotation is due',
    withRing({ keys: [activeRecord(1, { activatedAt: NOW - 20 * DAY - 60 }), standby, other] }),
    'ok',
    'rotation',
    'due at the next tick',
  ],
  [
    'a legacy key is accepted',
    withRing({
      keys: [...ringWith().keys, { ...keyRecord(9), state: 'OBSERVED', kind: 'legacy', verifyUntil: AT + DAY }],
    }),
    'ok',
    'legacy key',
    `${short(keyRecord(9))} of the former issuer is accepted until 2027-01-26T08:00:00Z`,
  ],
  [
    'a legacy key outlives its date',
    withRing({
      keys: [...ringWith().keys, { ...keyRecord(9), state: 'OBSERVED', kind: 'legacy', verifyUntil: AT - 1 }],
    }),
    'problem',
    'legacy key',
    /is past its date, and not RETIRED$/,
  ],
  ['nobody watches', seenOf({ watchedAt: { seen: undefined } }), 'problem', 'figures', 'none within the last hour'],
  ['the watch stopped', seenOf({ watchedAt: { seen: AT - 600 } }), 'problem', 'figures', 'the last is 10 min old'],
  [
    'CloudWatch does not tell',
    seenOf({ watchedAt: { unseen: 'AccessDenied' } }),
    'unknown',
    'figures',
    'CloudWatch did not answer: AccessDenied',
  ],
];

test.each(DRIFT)('%s', (_what, given, state, check, found) => {
  const findings = diagnose(given).filter((finding) => finding.check === check);
  expect(findings).toEqual([
    expect.objectContaining({ state, found: typeof found === 'string' ? found : expect.stringMatching(found) }),
  ]);
  expect(findings[0]?.fix === undefined).toBe(state === 'ok');
});

test('each row of the table differs from the healthy instance in what it is about, and in little else', () => {
  const healthy = new Map(diagnose(facts()).map(({ check, state }) => [check, state]));
  for (const [what, given, state, check] of DRIFT) {
    const others = diagnose(given).filter(
      (one) => one.check !== check && (healthy.get(one.check) ?? 'ok') !== one.state,
    );
    expect([what, others.length <= 6, state === 'ok' || healthy.get(check) !== state]).toEqual([what, true, true]);
  }
});

test('of a ring that closed only that is asked which a closed ring owes: nothing published, nothing that can sign', () => {
  const keys = ringWith().keys.map((key) => ({ ...key, state: 'RETIRED' as const, inJwks: false }));
  const closed = ringWith({ cfg, keys, activeKid: undefined, closingAt: NOW });
  const of = (ring: Ring) =>
    diagnose(facts({ rings: { seen: [ringFacts(ring)] } })).filter((finding) => finding.of === ring.id);
  expect(of(closed).map(({ check, state, found }) => [check, state, found])).toEqual([
    ['issuing', 'ok', 'the ring is closed: it issues nothing'],
    ['keys in KMS', 'ok', 'no key is Enabled: 3 Disabled'],
    ['key policies', 'ok', '3 keys, each as written at birth'],
    ['KMS grants', 'ok', 'none for 3 keys'],
    ['JWKS', 'ok', '0 keys as of now'],
  ]);
});

describe('what to run about an alarm that rings', () => {
  const ringing = (...ends: readonly string[]) => {
    const changed = Object.fromEntries(ends.map((end) => [end, { state: 'ALARM' }]));
    return diagnose(withAlarms(changed)).find(({ check }) => check === 'alarms')?.fix;
  };

  test('each alarm has a command beside it', () => {
    for (const name of expectedAlarms(facts())) {
      const short = name.slice('curfew-prod-'.length);
      const escaped = short.replaceAll('-', '\\-');
      expect(ringing(`prod-${short}`)).toMatch(new RegExp(`(^|; |, )${escaped}(, [^:]*)?: \`(curfew|aws) [^\`]+\``));
    }
  });

  test.each([
    ['HeldCases', 'HeldCases: `curfew case list --held --instance prod`; then its section of docs/runbook.md'],
    ['WaitingCases', 'WaitingCases: `curfew case list --waiting --instance prod`; then its section of docs/runbook.md'],
    [
      'api-RotationOverdue',
      'customer-api-RotationOverdue: `curfew ring show customer-api --instance prod`; then its section of docs/runbook.md',
    ],
    [
      'prod-RotationOverdue',
      'RotationOverdue: `curfew ring list --instance prod`; then its section of docs/runbook.md',
    ],
    [
      'offboarding-DeadLetters',
      'offboarding-DeadLetters: `aws cloudwatch describe-alarms --alarm-names curfew-prod-offboarding-DeadLetters`; then its section of docs/runbook.md',
    ],
  ])('%s', (end, fix) => expect(ringing(end)).toBe(fix));

  test('alarms of one ring share a command', () => {
    expect(ringing('api-StandbyKeys', 'api-RotationOverdue')).toBe(
      'customer-api-StandbyKeys, customer-api-RotationOverdue: `curfew ring show customer-api --instance prod`; then its section of docs/runbook.md',
    );
  });
});
