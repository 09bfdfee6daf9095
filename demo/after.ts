/** After the close: every refusal beside a twin that still works, in the same breath. */
import { setTimeout as pause } from 'node:timers/promises';
import { DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import { parseCompact } from '../lib/domain/jose/compact';
import { activeKey, findKey } from '../lib/domain/rings/ring';
import { jtiHash } from '../lib/domain/tokens/claims';
import type { Before } from './before';
import { kmsState, listBuckets, loginProfile, WORKER, WORKER_USER } from './cast';
import { type Observation, observe } from './checks';
import type { Departure } from './departure';
import type { Sampler } from './sampler';
import { now, POLL_SECONDS, type Stage } from './stage';
import { exchange, inParallel, issue, stockJose } from './tokens';

export interface After {
  readonly tokens: readonly {
    readonly sub: string;
    readonly kid: string;
    readonly old: string;
    readonly new: string;
  }[];
  readonly jwksAfter: string;
  /** Seconds since the taint after which jose with a warm cache still accepted an old token; undefined: it did not. */
  readonly warmedJoseAccepts: boolean;
}

export async function after(stage: Stage, before: Before, { sampler, duplicate, meta }: Departure): Promise<After> {
  const { checks } = stage;
  await awsAccessIsGone(stage, before);
  await tokensOfTheLeaver(stage, before);
  await keysCannotSign(stage, before);

  const tokens = await collect(stage, before);
  const jwksAfter = await stage.jwks();
  await others(stage, before, tokens);
  await forgeries(stage, before, sampler.samples);

  const cases = await countCases(stage);
  checks.claim(
    'duplicate-webhook-one-case',
    'the same webhook again is answered 200 and makes no second case',
    '200, 1 case',
    { answer: `${duplicate.status}, ${cases} case`, by: 'intake and the Cases table' },
  );
  checks.claim('case-closed', 'the case is closed on observed refusals', 'CLOSED', {
    answer: meta.state,
    by: 'the Cases table',
  });
  const warm = await observe('jose, warm cache', () => before.warmedJose(before.members[0]?.token ?? ''));
  return { tokens, jwksAfter, warmedJoseAccepts: warm.answer === 'ok' };
}

async function awsAccessIsGone({ checks }: Stage, { cast, sessionBefore, personalKeyBefore }: Before): Promise<void> {
  const { worker, colleague } = cast;
  const key = await observe('S3, with the access key', () => listBuckets(worker.key));
  const twinKey = await observe('S3, a colleague', () => listBuckets(colleague.key));
  checks.pair('access-key-refused-after', 'W-1042’s access key is refused', 'InvalidAccessKeyId', key, twinKey);

  const session = await observe('S3, with a session from before', () => listBuckets(worker.session));
  const twinSession = await observe('S3, a colleague’s session', () => listBuckets(colleague.session));
  const latched: Observation =
    sessionBefore.answer === 'ok' ? session : { answer: `did not work before: ${sessionBefore.answer}`, by: 'S3' };
  checks.pair(
    'latch-denies',
    'a session that outlives the key is denied by the latch',
    'AccessDenied',
    latched,
    twinSession,
  );

  const login = await observe('IAM', () => loginProfile(WORKER_USER));
  checks.claim('console-login-gone', 'W-1042’s console login is gone', 'NoSuchEntity', {
    ...login,
    answer: login.answer.replace(/Exception$/, ''),
  });
  const personal = await kmsState(worker.personalKeyArn);
  checks.claim(
    'personal-kms-key-disabled',
    'W-1042’s own KMS key was enabled and is disabled',
    'Enabled, then Disabled',
    { answer: `${personalKeyBefore}, then ${personal}`, by: 'KMS' },
  );
}

async function tokensOfTheLeaver(
  { checks, service, shop }: Stage,
  { cast, leaver, members, leaverTokenBefore, issueBefore }: Before,
): Promise<void> {
  const answers = await Promise.all(leaver.map((token) => observe('curfew/verifier', () => service.verify(token))));
  const refused = answers.every(({ answer }) => answer === 'ERR_TOKEN_KID_STATE' || answer === 'ERR_TOKEN_CUT_OFF');
  const current = await exchange(shop, members[0]?.token ?? '');
  const twin = await observe('a member', () => service.verify(current));
  const doomed = {
    answer: refused && leaverTokenBefore.answer === 'ok' ? 'refused' : answers.map(({ answer }) => answer).join(),
    by: `curfew/verifier: ${[...new Set(answers.map(({ answer }) => answer))].join(', ')}`,
  };
  checks.pair('leaver-token-refused-after', 'every token of W-1042 is refused', 'refused', doomed, twin);

  const collected = await Promise.all(leaver.map((token) => observe('exchange', () => exchange(shop, token))));
  checks.count(
    'leaver-cannot-collect',
    'none of W-1042’s tokens can be exchanged',
    leaver.length,
    collected.filter(({ answer }) => answer === 'invalid_request').length,
  );

  const [toLeaver, toMember] = await Promise.all([
    observe('the issue endpoint', () => issue(shop, cast.backend, WORKER)),
    observe('the issue endpoint', () => issue(shop, cast.backend, 'member-001')),
  ]);
  const asked: Observation =
    issueBefore.answer === 'ok' ? toLeaver : { answer: `did not work before: ${issueBefore.answer}`, by: 'issue' };
  checks.pair(
    'issue-to-leaver-refused-after',
    'no new token is issued to W-1042',
    'ERR_SUBJECT_BLOCKED',
    asked,
    toMember,
  );
}

async function keysCannotSign({ checks, ring, probe }: Stage, { oldKid, dated }: Before): Promise<void> {
  const live = await ring();
  const active = await probe(activeKey(live)?.kmsKeyArn);
  checks.pair(
    'old-key-cannot-sign',
    'KMS refuses to sign with the ring’s old key',
    'ERR_KEY_DISABLED',
    await probe(findKey(live, oldKid).kmsKeyArn),
    active,
  );
  checks.pair(
    'standby-cannot-sign',
    'KMS refuses to sign with a key whose turn has not come',
    'ERR_KEY_DISABLED',
    await probe(live.keys.find(({ state }) => state === 'STANDBY')?.kmsKeyArn),
    active,
  );

  const wait = dated.signUntil + 1 - now();
  if (wait > 0) await pause(wait * 1000);
  const expired = await probe(dated.expiring);
  const enabled = (await kmsState(dated.expiring)) === 'Enabled' && dated.workedBefore.answer === 'ok';
  const doomed = enabled ? expired : { answer: 'refused for another reason than its date', by: expired.by };
  checks.pair(
    'expired-key-cannot-sign',
    'past its date KMS refuses an enabled key: nobody has to be alive for it',
    'ERR_ACCESS_DENIED',
    doomed,
    await probe(dated.later),
  );
}

/** Holders trade each old token for its re-signed version: by the exact bytes, at the public endpoint. */
async function collect({ shop, checks }: Stage, { members }: Before): Promise<After['tokens']> {
  const collected = await inParallel(members, async ({ sub, token }) => {
    let current = '';
    const traded = await observe('exchange', async () => {
      current = await exchange(shop, token);
    });
    return traded.answer === 'ok' ? [{ sub, kid: parseCompact(current).header.kid, old: token, new: current }] : [];
  });
  const tokens = collected.flat();
  checks.count(
    'others-resigned',
    'every other member’s token was re-signed and collected',
    members.length,
    tokens.length,
  );
  return tokens;
}

async function others({ checks, shop, service }: Stage, { members }: Before, tokens: After['tokens']): Promise<void> {
  const same = tokens.filter(
    (token) => token.old.split('.')[1] === token.new.split('.')[1] && token.old !== token.new,
  ).length;
  checks.count(
    'others-payload-unchanged',
    'every re-signed token says byte for byte what the old one said',
    members.length,
    same,
  );

  const fresh = stockJose(shop);
  const accepted = await inParallel(tokens, (token) => observe('stock jose', () => fresh(token.new)));
  checks.count(
    'others-accepted-by-jose-after',
    'stock jose accepts every re-signed token',
    members.length,
    accepted.filter(({ answer }) => answer === 'ok').length,
  );
  const ours = await inParallel(tokens, (token) => observe('curfew/verifier', () => service.verify(token.new)));
  checks.count(
    'others-accepted-by-curfew-after',
    'curfew/verifier accepts every re-signed token',
    members.length,
    ours.filter(({ answer }) => answer === 'ok').length,
  );
  const refused = await inParallel(members, ({ token }) => observe('stock jose', () => fresh(token)));
  checks.count(
    'old-tokens-refused-by-fresh-jose-after',
    'a freshly started stock jose refuses every old token',
    members.length,
    refused.filter(({ answer }) => answer === 'ERR_JWKS_NO_MATCHING_KEY').length,
  );
}

async function forgeries(stage: Stage, { forged }: Before, samples: Sampler['samples']): Promise<void> {
  const { checks, service, shop, instance } = stage;
  // From one poll of the feed on: that is when every verifier knows, and what is promised.
  const suspect = samples.filter(({ state, forSeconds }) => state === 'SUSPECT' && forSeconds > POLL_SECONDS);
  const right = suspect.filter((sample) => sample.forged === 'ERR_TOKEN_NOT_ISSUED' && sample.genuine === 'ok');
  checks.claim(
    'forgery-refused-while-suspect',
    'while the key is SUSPECT, from one feed poll on, the forgery is refused and the recorded token goes on',
    'all samples, at least 1',
    {
      answer:
        suspect.length > 0 && right.length === suspect.length
          ? 'all samples, at least 1'
          : `${right.length} of ${suspect.length}`,
      by: `curfew/verifier, ${suspect.length} samples at a SUSPECT feed of ${samples.length}`,
    },
  );

  const after = await Promise.all(forged.map((token) => observe('curfew/verifier', () => service.verify(token))));
  const fresh = stockJose(shop);
  const stock = await Promise.all(forged.map((token) => observe('stock jose', () => fresh(token))));
  const gone =
    after.every(({ answer }) => answer === 'ERR_TOKEN_KID_STATE') &&
    stock.every(({ answer }) => answer === 'ERR_JWKS_NO_MATCHING_KEY');
  checks.claim('forgery-refused-after', 'both forgeries are refused, by us and by stock jose', 'refused by both', {
    answer: gone ? 'refused by both' : 'accepted',
    by: `curfew/verifier ${after.map(({ answer }) => answer).join(', ')}; jose ${stock.map(({ answer }) => answer).join(', ')}`,
  });

  const traded = await Promise.all(forged.map((token) => observe('exchange', () => exchange(shop, token))));
  const ledger = await scan(instance.output('TableLedgerName'));
  const jtis = forged.map((token) =>
    jtiHash((JSON.parse(parseCompact(token).payload.toString()) as { jti: string }).jti),
  );
  const traces = ledger.filter((row) => jtis.includes(row.sk?.S ?? '')).length;
  const answer = `${traces} rows, ${traded.filter((each) => each.answer === 'ok').length} exchanged`;
  checks.claim(
    'forgery-not-laundered',
    'nothing was ever re-signed for a forgery: no ledger row, no exchange',
    '0 rows, 0 exchanged',
    { answer, by: 'the whole ledger and the exchange' },
  );
}

/** Departures, follow-ups apart. */
async function countCases({ instance }: Stage): Promise<number> {
  const items = await scan(instance.output('TableCasesName'));
  return items.filter((item) => item.sk?.S === 'META' && item.followUpOf === undefined).length;
}

async function scan(TableName: string) {
  const items = [];
  for await (const page of paginateScan({ client: new DynamoDBClient({}) }, { TableName }))
    items.push(...(page.Items ?? []));
  return items;
}
