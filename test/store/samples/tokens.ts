/** Rows of issued tokens, of the passes over them and of cut-offs. */
import { CUT_OFF } from '../../../lib/domain/store/cut-off';
import { BODY, LEDGER_ROW, MARKER } from '../../../lib/domain/store/ledger';
import { CUT_OFF_OUT } from '../../../lib/domain/store/outbox';
import { SHARD_PASS } from '../../../lib/domain/store/wave';
import { ARN, AT, CASE_ID, DIGEST, KID, OUTBOX, RING, type Sample, sample } from './sample';

export const TOKENS: readonly Sample[] = [
  sample(
    LEDGER_ROW,
    [{ kid: KID, shards: 64 }, DIGEST],
    {
      tokenSha256: DIGEST,
      payloadSha256: DIGEST,
      subH: 'subject-hash',
      clientId: 'web-client',
      callerArn: ARN,
      iat: AT,
      exp: AT,
      fence: 9,
      at: AT,
      resignOf: KID,
      ttl: AT,
    },
    [KID, 42],
  ),
  sample(BODY, [{ kid: KID, shards: 64 }, DIGEST], {
    state: 'SIGNED',
    protected: 'eyJhbGci',
    payload: 'eyJzdWIi',
    signature: 'c2lnbmVk',
    exp: AT,
    ttl: AT,
  }),
  sample(MARKER, [42, '1800000000-ab'], { kid: KID, shard: 42, jtiH: DIGEST, tokenSha256: DIGEST }, [42]),
  sample(
    SHARD_PASS,
    [RING, KID, 2, 42],
    {
      found: 1,
      resigned: 1,
      excluded: { poison: 1 },
      pass: 2,
      shard: 42,
      toKid: 'kid-next',
      source: 3,
      done: 2,
      root: DIGEST,
    },
    [RING, KID],
  ),
  sample(CUT_OFF, [RING, 'blinded-name'], { notBefore: AT, blocked: true, refusedUpTo: AT, caseId: CASE_ID }, [RING]),
  sample(CUT_OFF_OUT, [RING, 'blinded-name', AT], OUTBOX),
];
