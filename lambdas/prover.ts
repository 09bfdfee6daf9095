/**
 * Observes one item from outside the steps that acted: IAM, KMS through the issuer's own right, the documents as served.
 * `prove` throws unless it is as it should be; `look` asks the same of what is shut, and says whether it is open again.
 */

import { entry } from '../lib/aws/entry';
import { CurfewError } from '../lib/domain/base/errors';
import { type CaseState, departureOnly, isGivenBack } from '../lib/domain/cases/case';
import { type ItemKind, type Observations, type Proof, proveItem } from '../lib/domain/cases/proof';
import { questionsOfFinding } from '../lib/domain/cases/questions';
import { mayOpenAgain, wasOpened } from '../lib/domain/cases/recheck';
import { provedRecord, recheckRecord } from '../lib/domain/cases/records';
import { asksAgain, questionOutgoing } from '../lib/domain/cases/schedule';
import { transition } from '../lib/domain/cases/transitions';
import type { StepRequest } from '../lib/domain/deployment/messages';
import type { Feed } from '../lib/domain/feed/feed';
import { feedOf } from '../lib/domain/feed/parse-feed';
import { kidsIn } from '../lib/domain/jose/jwk';
import type { KeyRecord } from '../lib/domain/rings/ring';
import { CASE } from '../lib/domain/store/case';
import { CASE_ITEM } from '../lib/domain/store/case-items';
import { valuesOf } from '../lib/domain/store/table';
import { blind } from '../lib/domain/tokens/cut-off';
import type { Deps } from '../lib/ports';
import { changeCase, isOpen, loadCase, loadItem, needed, type StoredItem } from '../lib/work/cases/case-store';
import { leaverAs } from '../lib/work/cases/leaver-as';
import { OBSERVE_IAM } from '../lib/work/cases/observe';
import { loadWorker } from '../lib/work/cases/worker';
import { loadRing } from '../lib/work/rings/load-ring';
import { ANSWER_EVERY_SECONDS, ANSWERS_IN_ROW } from '../lib/work/rings/patience';

type ProverDeps = Deps<'prover'>;
type Observe<K extends ItemKind> = (stored: StoredItem, deps: ProverDeps, caseId: string) => Promise<Observations[K]>;

/** A suspension stays CONTAINED. */
const ACTED: readonly CaseState[] = ['CONTAINED', 'ACTING', 'PROVING', 'CLOSED'];

interface Looked {
  readonly nn: string;
  /** Of a look: it is open, and waits to be shut. */
  readonly open?: boolean;
}

export async function prove(request: StepRequest, deps: ProverDeps): Promise<Looked> {
  const stored = await loadItem(deps, request.caseId, request.nn);
  if (request.step === 'look') return look(stored, request, deps);
  const { nn, kind } = stored.item;
  // Every attempt looks again at what somebody can open again. What was done for good is not looked at twice.
  const wasProved = stored.state === 'PROVED';
  if (wasProved && !mayOpenAgain(stored)) return { nn };
  // Two people accepted that it is open: the linked case looks at it again.
  if (stored.state === 'ACCEPTED') return { nn };
  const meta = await loadCase(deps, request, ACTED);
  // What was given back is open again: it is the give-back that has to be proved.
  if (isGivenBack(meta) && (wasProved || stored.phase === 'contain')) return { nn };
  // From here on the rechecker looks at it, for as long as a session can be alive.
  if (wasProved && meta.state === 'CLOSED') return { nn };
  if (stored.state !== 'DONE' && !wasProved)
    throw new CurfewError('ERR_NOT_PROVED', `item ${nn} of case ${request.caseId} was never done`, {
      got: stored.state,
      fix: 'see the step of the item in the execution',
    });

  const proof: Proof = proveItem(kind, await OBSERVE[kind](stored, deps, request.caseId));
  // It is open again: the next attempt shuts it once more.
  if (!proof.ok && mayOpenAgain(stored)) await openAgain(stored, proof, request, deps);
  if (!proof.ok)
    throw new CurfewError('ERR_NOT_PROVED', `item ${nn} of case ${request.caseId} is not proved`, {
      got: proof.observed,
      allowed: proof.expected,
      fix: 'see what the prover observed, then prove it again; the case stays open until then',
    });

  if (wasProved) return { nn };
  await changeCase(deps, request, ACTED, async (meta) => {
    if ((await loadItem(deps, request.caseId, nn)).state === 'PROVED') return [];
    const now = deps.clock.now();
    const state = meta.state === 'ACTING' ? 'PROVING' : meta.state;
    // Shut again after it was found open: that it was proved is on record already.
    const records = stored.provedAt === undefined ? [{ record: provedRecord(meta, stored.item, proof, now) }] : [];
    return [
      ...transition(meta, { state, provedAt: now }, records),
      {
        kind: 'update',
        table: 'cases',
        key: CASE_ITEM.key(meta.caseId, stored.item),
        set: valuesOf({ state: 'PROVED', proof, provedAt: now }),
        if: [{ attribute: 'state', is: '=', value: 'DONE' }],
      },
    ];
  });
  return { nn };
}

async function look(stored: StoredItem, request: StepRequest, deps: ProverDeps): Promise<Looked> {
  const { nn, kind } = stored.item;
  const meta = await loadCase(deps, request, ACTED);
  if (!mayOpenAgain(stored) || isGivenBack(meta)) return { nn, open: false };
  if (isOpen(stored)) return { nn, open: true };
  const proof: Proof = proveItem(kind, await OBSERVE[kind](stored, deps, request.caseId));
  if (!proof.ok) await openAgain(stored, proof, request, deps);
  return { nn, open: !proof.ok };
}

/** If we stop before it, the item stays DONE or PROVED: the next look sees it open once more. */
async function openAgain(stored: StoredItem, proof: Proof, request: StepRequest, deps: ProverDeps): Promise<void> {
  await changeCase(deps, request, ACTED, async (current) => {
    const meta = departureOnly(current);
    const item = await loadItem(deps, request.caseId, stored.item.nn);
    if (isOpen(item)) return [];
    const now = deps.clock.now();
    const wasOpen = wasOpened(item, now);
    const foundOpen = (item.foundOpen ?? 0) + (wasOpen ? 1 : 0);
    const { said } = await loadWorker(deps, meta.workerId);
    const questions = questionsOfFinding(meta, foundOpen, said, now);
    const record = recheckRecord(meta, 'found-open', item.item, foundOpen, proof.observed, now);
    return [
      // Whoever is to be asked is asked in the transaction that finds it: a crash after it leaves nobody unasked.
      ...transition(meta, { questions }, [...(wasOpen ? [{ record }] : []), ...questionOutgoing(meta, questions, now)]),
      ...asksAgain(meta, questions, now),
      {
        kind: 'update',
        table: 'cases',
        key: CASE_ITEM.key(meta.caseId, stored.item),
        set: { state: 'PLANNED', ...(wasOpen && { foundOpen, foundOpenAt: now }) },
        if: [{ attribute: 'state', is: 'in', values: ['DONE', 'PROVED'] }],
      },
    ];
  });
}

const OBSERVE: { readonly [K in ItemKind]: Observe<K> } = {
  ...OBSERVE_IAM,
  'cut-off': async ({ item, target }, deps) => {
    const ring = needed('ring' in item ? item.ring : undefined, 'ring', item.nn);
    const feed = await servedFeed(ring, deps);
    const cuts = await cutsIn(feed, needed(target.value, 'value', item.nn), deps);
    // The earliest of them: what is said of all is what holds for each.
    const since = cuts.flatMap((cut) => cut?.[1] ?? []);
    const notBefore = since.length > 0 ? Math.min(...since) : undefined;
    return { blocked: cuts.every((cut) => cut?.[2] === true), notBefore, feedSeq: feed.seq };
  },
  release: async (stored, deps) => {
    const { item, target } = stored;
    if (item.kind !== 'release')
      throw new CurfewError('ERR_PLAN_INVALID', 'the item opens nothing', { got: item.kind });
    switch (item.thing) {
      case 'cut-off': {
        const cuts = await servedCuts(needed(item.ring, 'ring', item.nn), needed(target.value, 'value', item.nn), deps);
        return { open: cuts.every((cut) => cut?.[2] !== true) };
      }
      case 'latch': {
        const { exists, tagged, denied } = await OBSERVE_IAM.latch(stored, deps);
        return exists ? { open: !tagged && !denied } : { open: false, gone: true };
      }
      case 'access-key': {
        const { status } = await OBSERVE_IAM['access-key'](stored, deps);
        return status === 'none' ? { open: false, gone: true } : { open: status === 'Active' };
      }
      case 'personal-key': {
        const kmsKeyArn = needed(target.kmsKeyArn, 'kmsKeyArn', item.nn);
        return { open: (await deps.functions.invoke('disabler', { op: 'look', kmsKeyArn })).state === 'Enabled' };
      }
    }
  },
  unplannable: async ({ item }) => ({ reason: item.kind === 'unplannable' ? item.reason : '' }),
  /** The customer's key policy lets nobody of ours ask but the disabler. */
  'personal-key': async ({ item, target }, { functions }) => {
    const kmsKeyArn = needed(target.kmsKeyArn, 'kmsKeyArn', item.nn);
    return { kmsState: (await functions.invoke('disabler', { op: 'look', kmsKeyArn })).state };
  },
  taint: async ({ item }, deps) => {
    if (item.kind !== 'taint') throw new CurfewError('ERR_PLAN_INVALID', 'the item is not a taint', { got: item.kind });
    const ring = await loadRing(deps, item.ring);
    const key = ring.keys.find(({ kid }) => kid === item.kid);
    // One that a rotation, or another departure, makes ready signs by right; which that is stands in the ring before
    // KMS is told. If it was made ready since we read, the probe is refused as proof and asked again.
    const standbys = ring.keys.filter(
      ({ kind, state, kmsState }) => kind === 'kms' && state === 'STANDBY' && kmsState !== 'Enabled',
    );
    return {
      state: key?.state ?? 'none',
      inJwks: (await servedKids(item.ring, deps)).includes(item.kid),
      ...(key?.kmsKeyArn !== undefined && { sign: await askToSign(key, deps) }),
      standbys: await Promise.all(
        standbys.map(async (standby) => ({ kid: standby.kid, ...(await askToSign(standby, deps)) })),
      ),
    };
  },
  'rotate-again': async ({ item }, { tables }, caseId) => {
    const meta = await tables.get(CASE, caseId);
    const followUp = meta?.kind === 'departure' ? meta.followUp : undefined;
    if (followUp === undefined) return {};
    const linked = await tables.get(CASE, followUp);
    const isLinked = linked?.kind === 'departure' && linked.followUpOf === caseId && item.kind === 'rotate-again';
    return isLinked ? { followUp, dueAt: linked.dueAt } : {};
  },
};

async function servedCuts(ring: string, value: string, deps: ProverDeps) {
  return cutsIn(await servedFeed(ring, deps), value, deps);
}

/** In the order in which a leaver may stand in tokens; undefined where the feed does not name them. */
async function cutsIn(
  feed: Feed,
  value: string,
  deps: ProverDeps,
): Promise<readonly (Feed['cut'][number] | undefined)[]> {
  const peppers = await deps.secrets.values('pepper');
  return leaverAs(value).map((subject) => {
    const names = peppers.map((pepper) => blind(pepper, subject));
    return feed.cut.find(([blinded]) => names.includes(blinded));
  });
}

/** So often, in a row, does KMS have to refuse: one refusal proves one host. A signature, once, proves that it signs. */
async function askToSign(key: KeyRecord, deps: ProverDeps): Promise<{ signed: boolean; code?: string }> {
  for (let n = 1; ; n++) {
    const answer = await askOnce(key, deps);
    if (answer.signed || n === ANSWERS_IN_ROW) return answer;
    await deps.clock.sleep(ANSWER_EVERY_SECONDS);
  }
}

/** Through the issuer's right, which is the one that could have signed. */
async function askOnce(
  { kmsKeyArn, alg }: KeyRecord,
  { functions }: ProverDeps,
): Promise<{ signed: boolean; code?: string }> {
  const { probe } = await functions.invoke('issuer', { op: 'probe', kmsKeyArn: kmsKeyArn ?? '', algorithm: alg });
  if (probe === undefined)
    throw new CurfewError('ERR_UNAVAILABLE', 'the issuer did not answer the probe', { fix: 'retry' });
  return probe;
}

async function servedKids(ring: string, deps: ProverDeps): Promise<readonly string[]> {
  return kidsIn(await served(`/r/${ring}/.well-known/jwks.json`, deps));
}

/** The signature is for verifiers, who cannot trust the way; here the question is what they are being served. */
async function servedFeed(ring: string, deps: ProverDeps): Promise<Feed> {
  const feed = feedOf(await served(`/r/${ring}/feed`, deps));
  if (feed.ring === ring && deps.clock.now() <= feed.exp) return feed;
  throw new CurfewError('ERR_FEED_EXPIRED', `the served feed of ring ${ring} has expired`, {
    got: feed.exp,
    fix: 'read the log of the publisher',
  });
}

async function served(path: string, { http, config }: ProverDeps): Promise<string> {
  const { status, body } = await http.get(`${config.publicBaseUrl}${path}`);
  if (status === 200) return body;
  throw new CurfewError('ERR_UNAVAILABLE', `${path} was not served`, { got: status, allowed: 200 });
}

export const handler = entry('prover', prove);
