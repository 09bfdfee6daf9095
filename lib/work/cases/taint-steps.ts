/** The steps around the waves of a case: each ring on its own, all its tainted kids together. The order stands in domain/rings/ending.ts. */
import { CurfewError, type ErrorCode, isCurfewError } from '../../domain/base/errors';
import type { PlannedItem } from '../../domain/cases/plan';
import { transition } from '../../domain/cases/transitions';
import type { StepRequest } from '../../domain/deployment/messages';
import { cannotSign } from '../../domain/rings/ending';
import type { TaintTarget } from '../../domain/rings/taint';
import type { WaveBatch } from '../../domain/tokens/wave';
import type { Deps } from '../../ports';
import { commitTokens, denyKeys, disableOldKeys, prepareSuccessor, taintKeys } from '../rings/ending';
import { BEGUN, changeCase, loadCase, loadItems, type StoredItem } from './case-store';
import { claim, mayBegin, standingOf } from './claim';
import { markDone } from './item-done';

type ConductorDeps = Deps<'conductor'>;
type TaintItem = Extract<PlannedItem, { kind: 'taint' }>;
type Stored = StoredItem & { readonly item: TaintItem };

/** Stands in evidence in clear: it says why, and not who. */
const CUSTODIAN_LEFT = 'a custodian left';

export const TAINT_STEPS = {
  prepare,
  taint,
  'disable-compromised': disableCompromised,
  commit,
  'disable-old': disableOld,
  deny,
};

/** What is wrong with one ring, and no retry mends: its items stay open, and the other rings' do not wait for it. */
const OF_THE_RING: readonly ErrorCode[] = [
  'ERR_NO_SUCCESSOR',
  'ERR_KEY_STATE',
  'ERR_KEY_DISABLED',
  'ERR_ACCESS_DENIED',
  'ERR_NOT_FOUND',
];
type Held = readonly { readonly ring: string; readonly code: ErrorCode }[];

function isOfTheRing(error: unknown): error is CurfewError {
  return isCurfewError(error) && OF_THE_RING.includes(error.code);
}

/**
 * A successor is probed for ten seconds: one ring after another, those of thirty took five minutes, the conductor was
 * stopped at each try, and the first of them was given up before the last was ready. As many as KMS enables in a second.
 */
const RINGS_AT_ONCE = 5;

/** Answers the rings that are held up, and by what; throws, once every ring had its turn, what a retry may mend. */
async function eachRing(
  request: StepRequest,
  deps: ConductorDeps,
  work: (ring: string, items: readonly Stored[]) => Promise<void>,
  /** By default those that were claimed: what is still in doubt is left as it is. */
  which: (stored: Stored) => boolean = ({ state }) => state !== 'PLANNED',
): Promise<Held> {
  const rings = await taintsByRing(request, deps, which);
  const held: { ring: string; code: ErrorCode }[] = [];
  const passing: unknown[] = [];
  // If we stop here, some rings are through, in no order: the replay asks for all of them again.
  for (let n = 0; n < rings.length; n += RINGS_AT_ONCE)
    await Promise.all(
      rings.slice(n, n + RINGS_AT_ONCE).map(async ([ring, items]) => {
        try {
          await work(ring, items);
        } catch (error) {
          if (isOfTheRing(error)) held.push({ ring, code: error.code });
          else passing.push(error);
        }
      }),
    );
  if (passing.length > 0) throw passing[0];
  return held;
}

/**
 * Enables the STANDBY of each ring whose ACTIVE key is about to go, and writes down which. A later attempt asks again:
 * a tick has by then disabled a key not activated in time, and the ring refuses to activate a key that cannot sign.
 */
async function prepare(request: StepRequest, deps: ConductorDeps) {
  const prepareRing = async (ring: string, items: readonly Stored[]) => {
    if (!items.some(isReplaced)) return;
    const { successors, taintedAt } = await loadCase(deps, request, BEGUN);
    if (taintedAt !== undefined) return;
    const kid = await prepareSuccessor(ring, deps);
    if (kid === successors?.[ring]) return;
    // If we stop here, a STANDBY is enabled for nothing until the replay is told the same one again.
    await changeCase(deps, request, BEGUN, (meta) =>
      transition(meta, { successors: { ...meta.successors, [ring]: kid } }),
    );
  };
  const now = deps.clock.now();
  const standing = await standingOf(await loadCase(deps, request, BEGUN), deps);
  const held = await eachRing(
    request,
    deps,
    prepareRing,
    (stored) => stored.state === 'STARTED' || (stored.state === 'PLANNED' && mayBegin(stored, standing, now)),
  );
  return { held };
}

/** Noted as tainted, and with it the start of the holders' time to collect, once no ring is held up. */
async function taint(request: StepRequest, deps: ConductorDeps) {
  // If we stop after this, they are claimed and not tainted: the replay taints them, and nothing stops it any more.
  await claim(request, ({ item }) => item.kind === 'taint', deps);
  const meta = await loadCase(deps, request, BEGUN);
  const { successors } = meta;
  const reason = meta.kind === 'taint' ? meta.key.reason : CUSTODIAN_LEFT;
  const batches: WaveBatch[] = [];
  const taintAll = async (ring: string, items: readonly Stored[]) => {
    const targets = kidsOf(items).map((kid): TaintTarget => {
      const classes = items.flatMap(({ item }) => (item.kid === kid ? [item.class] : []));
      return { kid, class: classes.includes('compromise') ? 'compromise' : 'planned', reason };
    });
    const successor = items.some(isReplaced) ? successors?.[ring] : undefined;
    const { caseId } = request;
    const answer = await taintKeys({ ring, targets, successor, caseId }, deps);
    batches.push(...answer.batches);
  };
  const held = await eachRing(request, deps, async (ring, items) => {
    try {
      await taintAll(ring, items);
    } catch (error) {
      if (!isOfTheRing(error)) throw error;
      // No key can take over from the one that issues: the others of the ring need none that does.
      const others = items.filter((stored) => !isReplaced(stored));
      if (others.length > 0 && others.length < items.length) await taintAll(ring, others);
      throw error;
    }
  });
  const waiting = await isWaiting(request, deps);
  await changeCase(deps, request, BEGUN, (meta) =>
    meta.taintedAt === undefined && held.length === 0 && !waiting
      ? transition(meta, { taintedAt: deps.clock.now() })
      : [],
  );
  return { batches, held };
}

/** Two plans may have one key, for two exposures: a ring is asked about it once, and by the stronger class. */
function kidsOf(items: readonly Stored[]): readonly string[] {
  return [...new Set(items.map(({ item }) => item.kid))];
}

function isReplaced({ item }: Stored): boolean {
  return item.replace;
}

async function commit(_request: StepRequest, deps: ConductorDeps) {
  await commitTokens(deps);
  return {};
}

/** Of those rings alone in which a key may have been copied; the others still drain. */
async function disableCompromised(request: StepRequest, deps: ConductorDeps) {
  return disableOf(request, deps, ({ item }) => item.class === 'compromise');
}

async function disableOld(request: StepRequest, deps: ConductorDeps) {
  return disableOf(request, deps, () => true);
}

/** KMS's own word for each tainted key that it holds: a legacy key it never held. */
async function disableOf(request: StepRequest, deps: ConductorDeps, which: (stored: Stored) => boolean) {
  const { successors } = await loadCase(deps, request, BEGUN);
  const held = await eachRing(request, deps, async (ring, all) => {
    const items = all.filter(which);
    if (items.length === 0) return;
    const disabled = await disableOldKeys(ring, successors?.[ring], deps);
    // If we stop here, the replay asks again: what is disabled is only read back.
    const enabled = disabled.filter(
      ({ kid, state }) => !cannotSign(state) && items.some(({ item }) => item.kid === kid),
    );
    if (enabled.length > 0)
      throw new CurfewError('ERR_KEY_STATE', `ring ${ring} has a tainted key that KMS still lets sign`, {
        got: enabled,
        allowed: 'Disabled',
        fix: 'read its key policy back; the item stays open, and every tick tries again',
      });
  });
  return { held };
}

/** DENIES what its last pass found nothing under; answers what is left, and how long to wait before asking again. */
async function deny(request: StepRequest, deps: ConductorDeps) {
  const batches: WaveBatch[] = [];
  const open: TaintItem[] = [];
  const untainted: TaintItem[] = [];
  const held = await eachRing(request, deps, async (ring, items) => {
    const answer = await denyKeys(ring, kidsOf(items), deps);
    batches.push(...answer.batches);
    for (const stored of items) {
      const state = answer.states.find(({ kid }) => kid === stored.item.kid)?.state;
      // RETIRED: its last token ran out while the case was held; there was nothing left to taint.
      if (state === 'DENIED' || state === 'RETIRED') await markDone(stored, { state }, request, deps);
      else (state === 'SUSPECT' ? open : untainted).push(stored.item);
    }
  });
  if (open.length > 0) {
    // Nothing left to re-sign and still not DENIED: holders of a planned taint have their time to collect.
    const collecting = batches.length === 0 && open.every((item) => item.class === 'planned');
    const waitSeconds = collecting ? await secondsToCollect(request, deps) : deps.config.settings.feedPollSeconds;
    return { done: false, batches, waitSeconds, held };
  }
  const waiting = await isWaiting(request, deps);
  // What could not be tainted is not waited for here: the prover finds it open, and the next attempt tries again.
  await changeCase(deps, request, BEGUN, (meta) =>
    meta.deniedAt === undefined && untainted.length + held.length === 0 && !waiting
      ? transition(meta, { deniedAt: deps.clock.now() })
      : [],
  );
  return { done: true, batches, waitSeconds: 0, held };
}

/** A doubt keeps a key of the plan from being tainted. */
async function isWaiting(request: StepRequest, deps: ConductorDeps): Promise<boolean> {
  return (await taintsByRing(request, deps, ({ state }) => state === 'PLANNED')).length > 0;
}

async function secondsToCollect(request: StepRequest, deps: ConductorDeps): Promise<number> {
  const { taintedAt } = await loadCase(deps, request, BEGUN);
  const { collectGraceSeconds, feedPollSeconds } = deps.config.settings;
  const now = deps.clock.now();
  return Math.max((taintedAt ?? now) + collectGraceSeconds - now, feedPollSeconds);
}

async function taintsByRing(
  { caseId }: StepRequest,
  deps: ConductorDeps,
  which: (stored: Stored) => boolean,
): Promise<readonly [string, readonly Stored[]][]> {
  const taints = (await loadItems(deps, caseId))
    .flatMap(({ item, ...stored }): Stored[] => (item.kind === 'taint' ? [{ ...stored, item }] : []))
    .filter(which);
  const rings = [...new Set(taints.map(({ item }) => item.ring))];
  return rings.map((ring) => [ring, taints.filter(({ item }) => item.ring === ring)]);
}
