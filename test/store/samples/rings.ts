/** Rows of rings, of their keys and of their waves. */
import { RING_OUT } from '../../../lib/domain/store/outbox';
import { GATE, RING_ENTRY, RING_HEAD, type RingSettings } from '../../../lib/domain/store/ring-head';
import { type KeyRecord, KID_POINTER, RING_KEY, SLOT } from '../../../lib/domain/store/ring-key';
import { WAVE } from '../../../lib/domain/store/wave';
import { ARN, AT, CASE_ID, DIGEST, KID, OUTBOX, RING, type Sample, sample } from './sample';

const jwk = {
  kty: 'EC',
  crv: 'P-256',
  x: 'xCoord',
  y: 'yCoord',
  n: 'nMod',
  e: 'eExp',
  kid: KID,
  alg: 'ES256',
  use: 'sig',
} as const;

const cfg: RingSettings = {
  alg: 'ES256',
  iss: 'https://id.shop.example/r/customer-api',
  aud: 'https://api.shop.example',
  periodSeconds: 2_592_000,
  maxTtlSeconds: 3600,
  propagationSeconds: 60,
  cacheSeconds: 600,
  skewSeconds: 30,
  drainSeconds: 15,
  feedPollSeconds: 5,
  periodExemptUntil: AT,
  verifiers: [{ name: 'gateway', cacheSeconds: 'unbounded' }],
  exemptions: [
    { rule: 'ERR_RING_LIMIT', subject: RING, approver: 'CHG-7', reason: 'rotates yearly', until: '2027-03-31' },
  ],
};

const key: KeyRecord = {
  kid: KID,
  state: 'SUSPECT',
  kind: 'kms',
  kmsKeyArn: ARN,
  alg: 'ES256',
  jwk,
  slot: 1,
  shards: 64,
  bornAt: AT,
  confirmedAt: AT,
  activatedAt: AT,
  deactivatedAt: AT,
  signUntil: AT,
  verifyUntil: AT,
  maxTtlSeconds: 3600,
  windows: [{ iatFrom: AT, iatTo: AT, wave: KID }],
  inJwks: true,
  taint: { class: 'planned', reason: 'a custodian left', at: AT, cases: [CASE_ID] },
  deniedAt: AT,
  kmsState: 'Disabled',
  preparedAt: AT,
  probedAt: AT,
  disabledAt: AT,
  policySha256: DIGEST,
  policyState: 'granted',
};

export const RINGS: readonly Sample[] = [
  sample(
    RING_HEAD,
    [RING],
    { activations: 3, fence: 9, activeKid: KID, halted: false, closingAt: AT, cfg, cfgSha: DIGEST },
    [RING],
  ),
  sample(GATE, [RING, 15], { activeKid: KID, halted: false, closingAt: AT }),
  sample(RING_ENTRY, [RING], { inspectedAt: AT }, []),
  sample(RING_KEY, [RING, KID], key, [RING]),
  sample(
    SLOT,
    [RING, 4],
    {
      slot: 4,
      state: 'CREATED',
      at: AT,
      nonce: 'n0nce',
      signUntil: AT,
      adoptedAt: AT,
      triedAt: AT,
      sweptAt: AT,
      kmsKeyArn: ARN,
      jwk,
      policySha256: DIGEST,
    },
    [RING],
  ),
  sample(KID_POINTER, [KID], { ring: RING }),
  sample(
    WAVE,
    [RING, KID],
    {
      fromKid: KID,
      toKid: 'kid-next',
      state: 'DONE',
      openedAt: AT,
      cases: [CASE_ID],
      result: { passes: 2, source: 11, done: 10, excluded: { expired: 1 }, root: DIGEST },
    },
    [RING],
  ),
  sample(RING_OUT, [RING, 9, 0], OUTBOX, [RING]),
];
