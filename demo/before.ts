/** Before the departure: the company at work, W-1042's access at work, and the breach. */
import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { adoptRecord } from '../bin/commands/adopt';
import { importPeople } from '../bin/commands/people';
import { activeKey } from '../lib/domain/rings/ring';
import { asRole } from './as-role';
import { type Cast, datedKey, hire, kmsState, listBuckets, loginProfile, WORKER, WORKER_USER } from './cast';
import { type Observation, observe } from './checks';
import { MEMBERS, now, RING, type Stage } from './stage';
import { inParallel, issue, signWithPem, stockJose } from './tokens';

export interface Before {
  readonly cast: Cast;
  readonly webhookSecret: string;
  readonly members: readonly { readonly sub: string; readonly token: string }[];
  readonly leaver: readonly string[];
  readonly forged: readonly string[];
  readonly jwksBefore: string;
  readonly oldKid: string;
  /** jose with its cache filled before the departure: what a stock verifier goes on accepting. */
  readonly warmedJose: (token: string) => Promise<unknown>;
  readonly dated: {
    readonly expiring: string;
    readonly later: string;
    readonly signUntil: number;
    readonly workedBefore: Observation;
  };
  readonly accessKeyBefore: Observation;
  readonly sessionBefore: Observation;
  readonly personalKeyBefore: string;
  readonly leaverTokenBefore: Observation;
  readonly issueBefore: Observation;
}

/** Long enough to probe it once while it still may sign. */
const DATED_SECONDS = 20;

export async function before(stage: Stage, webhookSecret: string): Promise<Before> {
  const { say, checks, instance, shop, service } = stage;
  const cast = await hire({
    apiId: instance.output('ApiId', 'signing'),
    disablerRoleArn: stage.roleArns.disabler,
    evidenceReaderRoleArn: instance.output('EvidenceReaderRoleArn'),
  });
  await new SecretsManagerClient({}).send(
    new PutSecretValueCommand({
      SecretId: instance.output('SecretWebhookPeopleSystemArn'),
      SecretString: webhookSecret,
    }),
  );
  await importRoster(stage, cast);
  say(
    'W-1042 works here: IAM user, console login, KMS key of their own, access to the PEM and to the code of the issuer',
  );

  const { members, leaver } = await outstanding(stage, cast);
  say(
    `${members.length} members hold tokens, half of them signed with the old PEM, half by the ring; W-1042 holds ${leaver.length}`,
  );

  const warmedJose = stockJose(shop);
  const forged = [signWithPem(shop, 'member-007', now()), signWithPem(shop, 'no-such-member', now())];
  const all = [...members.map(({ token }) => token), ...leaver];
  const accepted = await inParallel(all, (token) => observe('stock jose', () => warmedJose(token)));
  checks.count(
    'all-accepted-before',
    'every outstanding token is accepted by stock jose through the published JWKS',
    all.length,
    accepted.filter(({ answer }) => answer === 'ok').length,
  );

  say('W-1042 has kept a copy of the PEM and forges two tokens: one for a member, one for nobody');
  const breach = await inParallel(forged, (token) => observe('stock jose', () => warmedJose(token)));
  checks.count(
    'forgery-accepted-before',
    'the breach is real: stock jose accepts both forgeries',
    2,
    breach.filter(({ answer }) => answer === 'ok').length,
  );

  const ring = await stage.ring();
  const dated = await datedTwins(stage);
  const accessKeyBefore = await observe('S3, with the access key', () => listBuckets(cast.worker.key));
  checks.claim('access-key-worked-before', 'W-1042’s access key works', 'ok', accessKeyBefore);
  const leaverTokenBefore = await observe('curfew/verifier', () => service.verify(leaver[0]));
  checks.claim('leaver-token-accepted-before', 'W-1042’s own token is accepted', 'ok', leaverTokenBefore);
  checks.claim(
    'console-login-before',
    'W-1042 has a console login',
    'ok',
    await observe('IAM', () => loginProfile(WORKER_USER)),
  );
  await rolesStayInTheirLane(stage);

  return {
    cast,
    webhookSecret,
    members,
    leaver,
    forged,
    jwksBefore: await stage.jwks(),
    oldKid: ring.activeKid ?? '',
    warmedJose,
    dated,
    accessKeyBefore,
    sessionBefore: await observe('S3, with a session', () => listBuckets(cast.worker.session)),
    personalKeyBefore: await kmsState(cast.worker.personalKeyArn),
    leaverTokenBefore,
    issueBefore: await observe('the issue endpoint', () => issue(shop, cast.backend, WORKER)),
  };
}

/** What W-1042 could use, as the company's inventory knows it. */
async function importRoster({ instance, shop }: Stage, { worker }: Cast): Promise<void> {
  const principals = [
    { type: 'iam-user', arn: worker.arn },
    { type: 'kms-key', arn: worker.personalKeyArn },
    { type: 'subject', ring: RING, sub: WORKER },
  ];
  const since = now() - 3 * 365 * 86_400;
  const exposures = [
    {
      asset: `kid:${RING}/${shop.legacy.kid}`,
      class: 'copied-possible',
      how: 'read the PEM on the old issuer’s hosts',
      since,
    },
    { asset: `ring:${RING}`, class: 'could-deploy', how: 'deploys the issuer’s code', since },
  ];
  await importPeople(instance, { workers: [{ workerId: WORKER, principals, exposures }] });
}

/** Two keys under the shipped key policy, and what one says that has seconds to go: asked at once, for they go by. */
async function datedTwins(stage: Stage): Promise<Before['dated']> {
  const signUntil = now() + DATED_SECONDS;
  const expiring = await datedKey(signUntil, stage.roleArns);
  const workedBefore = await stage.probe(expiring);
  return { expiring, workedBefore, signUntil, later: await datedKey(signUntil + 86_400, stage.roleArns) };
}

/** Every token that is out there: those of the PEM recorded, as the old issuer does; those of the ring issued. */
async function outstanding({ instance, shop }: Stage, { backend }: Cast) {
  const subs = Array.from({ length: 2 * MEMBERS }, (_, n) => `member-${String(n).padStart(3, '0')}`);
  const fromPem = subs.slice(0, MEMBERS).map((sub) => ({ sub, token: signWithPem(shop, sub, now()) }));
  const leaverPem = signWithPem(shop, WORKER, now());
  const recorded = [...fromPem.map(({ token }) => token), leaverPem].join('\n');
  await adoptRecord(instance, RING, recorded, () => undefined);

  const fromRing = await inParallel(subs.slice(MEMBERS), async (sub) => ({
    sub,
    token: await issue(shop, backend, sub),
  }));
  const leaver = [await issue(shop, backend, WORKER), await issue(shop, backend, WORKER), leaverPem];
  return { members: [...fromPem, ...fromRing], leaver };
}

/** Separation of rights, asked of KMS itself under each role, on a live ring key. */
async function rolesStayInTheirLane({ checks, ring, roleArns }: Stage): Promise<void> {
  const live = await ring();
  const active = activeKey(live)?.kmsKeyArn ?? '';
  const standby = live.keys.find(({ state }) => state === 'STANDBY')?.kmsKeyArn ?? '';
  const [issuerDisables, issuerSigns] = await asRole(roleArns.issuer, 'issuer', [
    { op: 'disable', kmsKeyArn: active },
    { op: 'sign', kmsKeyArn: active },
  ]);
  const [rotatorSigns, rotatorDisables] = await asRole(roleArns.rotator, 'rotator', [
    { op: 'sign', kmsKeyArn: active },
    { op: 'disable', kmsKeyArn: standby },
  ]);
  if (!issuerDisables || !issuerSigns || !rotatorSigns || !rotatorDisables)
    throw new Error('the harness Lambda did not answer every call');
  checks.pair(
    'issuer-cannot-disable',
    'the issuer may sign with the ACTIVE key and cannot disable it',
    'AccessDeniedException',
    issuerDisables,
    issuerSigns,
  );
  checks.pair(
    'rotator-cannot-sign',
    'the rotator may disable a key and cannot sign with one',
    'AccessDeniedException',
    rotatorSigns,
    rotatorDisables,
  );
}
