/** Rows of the inbox, of cases and of people. */

import { APPROVAL, PENDING_APPROVAL } from '../../../lib/domain/store/approval';
import { CASE, DUE_MARKER } from '../../../lib/domain/store/case';
import { CASE_ITEM, CASE_LIST, CASE_PLAN } from '../../../lib/domain/store/case-items';
import { DELIVERY, PENDING_DELIVERY, type Statement } from '../../../lib/domain/store/inbox';
import { APPROVERS_OUT, CASE_OUT } from '../../../lib/domain/store/outbox';
import { EXPOSURE, IMPORT, PRINCIPAL, type Principal } from '../../../lib/domain/store/people';
import { APPROVERS, DUE_WORKER, PSEUDONYM, SAID, SCHEDULE, SHUT } from '../../../lib/domain/store/worker';
import { ARN, AT, CASE_ID, DIGEST, KID, OUTBOX, PSEUDONYMOUS, RING, type Sample, sample, WORKER } from './sample';

const said: Statement = {
  kind: 'termination',
  workerId: WORKER,
  saidAt: AT,
  timedBy: 'event',
  effectiveAt: AT,
  meaning: 'access-end',
  zone: '+09:00',
  employment: 'contract-1',
  sourceEventId: 'msg_77',
  initiator: 'W-0007',
};

const subject: Principal = { type: 'subject', ring: RING, sub: WORKER };
const principals = [
  { ref: 'p0', type: 'iam-user', accessKeys: 2, exists: true, loginProfile: true },
  { ref: 'p1', type: 'subject', ring: RING },
  { ref: 'p2', type: 'kms-key' },
  { ref: 'p3', type: 'unknown', reason: 'IAM has no such account' },
] as const;
const target = { value: WORKER, arn: ARN, userName: 'mallory', accessKeyId: 'AKIA1', kmsKeyArn: ARN };

export const CASES: readonly Sample[] = [
  sample(DELIVERY, ['hr', 'msg_77'], {
    corroboration: 'confirmed',
    origin: 'sap',
    statements: [said],
    bodySha256: DIGEST,
    sentAt: AT,
    receivedAt: AT,
  }),
  sample(PENDING_DELIVERY, [AT, 'hr', 'msg_77'], { source: 'hr-system', delivery: 'msg_77', receivedAt: AT }, []),
  sample(CASE, [CASE_ID], {
    kind: 'departure',
    act: 'suspend',
    number: 2,
    effectiveAt: AT,
    finalAt: AT,
    voices: [{ source: 'hr-system', origin: 'sap' }],
    questions: [
      { n: 1, reasons: ['moved:hr-system'], about: DIGEST, askedAt: AT, reminders: 2, endedAt: AT, endedBy: 'go-on' },
    ],
    isUnknown: false,
    givenBackAt: AT,
    givesBack: 'c-zeroth',
    givesBackAt: 1,
    readmits: { thing: `SHUT#cut-off#${DIGEST}`, said: DIGEST },
    caseId: CASE_ID,
    workerId: WORKER,
    pseudonym: PSEUDONYMOUS,
    state: 'PROVING',
    version: 4,
    attempt: 1,
    fence: 4,
    dueAt: AT,
    source: 'hr-system',
    corroboration: 'signed-fact',
    followUpOf: 'c-first',
    hrEventAt: AT,
    acceptedAt: AT,
    openedAt: AT,
    containedAt: AT,
    plannedAt: AT,
    taintedAt: AT,
    deniedAt: AT,
    provedAt: AT,
    closedAt: AT,
    sealedAt: AT,
    successors: { [RING]: KID },
    followUp: 'c-second',
  }),
  sample(
    CASE_ITEM,
    [CASE_ID, { nn: '06', kind: 'taint' }],
    {
      item: { nn: '06', kind: 'taint', ring: RING, kid: KID, class: 'compromise', replace: true, because: ['exp-0'] },
      phase: 'act',
      state: 'PROVED',
      startedAt: AT,
      target,
      after: { state: 'DENIED' },
      doneAt: AT,
      proof: { ok: true, observed: ['any JSON'] },
      provedAt: AT,
    },
    [CASE_ID],
  ),
  sample(CASE_LIST, [CASE_ID, 2], { state: 'FROZEN', n: 2, principals, targets: { p0: [target] } }, [CASE_ID]),
  sample(CASE_PLAN, [CASE_ID], {
    state: 'FROZEN',
    inventory: {
      firstItem: 6,
      followUp: false,
      principals,
      exposures: [{ ref: 'exp-0', ring: RING, kid: KID, class: 'copied-possible' }],
      omitted: 1,
      keys: [{ ring: RING, kid: KID, state: 'OBSERVED' }],
      things: [{ ref: 't0', thing: 'cut-off', ring: RING }],
      ends: { ring: RING, kid: KID, class: 'planned' },
    },
    targets: { t0: target },
    how: { 'exp-0': { how: 'kept the PEM on a laptop', since: AT } },
    readAt: AT,
  }),
  sample(CASE_OUT, [CASE_ID, 4, 0], OUTBOX, [CASE_ID]),
  sample(
    SAID,
    [WORKER, AT, DIGEST],
    {
      ...said,
      source: 'hr-system',
      origin: 'sap',
      corroboration: 'signed-fact',
      receivedAt: AT,
      bodySha256: DIGEST,
    },
    [WORKER],
  ),
  sample(SCHEDULE, [WORKER], { version: 7, caseIds: [CASE_ID], dueAt: AT }),
  sample(PSEUDONYM, [WORKER], { pseudonym: PSEUDONYMOUS }),
  sample(DUE_WORKER, [AT, WORKER], { workerId: WORKER }, []),
  sample(DUE_MARKER, [AT, CASE_ID], { caseId: CASE_ID, attempt: 1 }, []),
  sample(
    APPROVERS,
    [2],
    { n: 2, digest: DIGEST, members: [{ workerId: WORKER, pseudonym: PSEUDONYMOUS }], at: AT },
    [],
  ),
  sample(APPROVERS_OUT, [2], OUTBOX, []),
  sample(
    SHUT,
    [WORKER, 'cut-off', DIGEST],
    {
      kind: 'cut-off',
      ring: RING,
      target,
      found: 'open',
      caseIds: [CASE_ID],
      byHand: true,
      soleCase: CASE_ID,
      shuttingAt: AT,
      openingBy: 'c-back',
      openingAt: AT,
    },
    [WORKER],
  ),
  sample(
    APPROVAL,
    [CASE_ID, 1, AT, 'W-0001'],
    {
      decision: 'go-on',
      about: DIGEST,
      reason: 'CHG-7',
      identity: 'AIDA1',
      at: AT,
      counts: false,
      why: 'they are leaving themselves',
    },
    [CASE_ID, 1],
  ),
  sample(PENDING_APPROVAL, [AT, CASE_ID, 1, 'W-0001'], { caseId: CASE_ID, question: 1, at: AT }, []),
  sample(IMPORT, [WORKER, AT, 'AIDA1'], { at: AT, by: 'AIDA1', isWhole: true }, [WORKER]),
  sample(PRINCIPAL, [WORKER, subject], subject, [WORKER]),
  sample(
    EXPOSURE,
    [WORKER, { asset: `ring:${RING}`, class: 'could-use' }],
    { asset: `ring:${RING}`, class: 'could-use', how: 'deploys the issuer', since: AT },
    [WORKER],
  ),
];
