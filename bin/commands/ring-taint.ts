/**
 * `curfew ring taint`: has a case end a key, and watches it do so. Whoever stops watching stops nothing. A STANDBY needs no
 * case: it never issued, and is RETIRED at once.
 */
import { CurfewError, isCurfewError } from '../../lib/domain/base/errors';
import { shortKid } from '../../lib/domain/jose/jwk';
import { findKey, type KeyRecord, type KeyState, type Ring, type TaintClass } from '../../lib/domain/rings/ring';
import { successors } from '../../lib/domain/rings/rotation';
import { hasIssued, refuseUnlessTaintable } from '../../lib/domain/rings/taint';
import { CASE, type EndedKey } from '../../lib/domain/store/case';
import { disableOldKeys, taintKeys } from '../../lib/work/rings/ending';
import { loadRing } from '../../lib/work/rings/load-ring';
import { inTurn } from '../../lib/work/transactions';
import type { Answer, CommandPorts, Progress } from './command';
import { findKeyByKid } from './kid';
import { isStopped, kmsWordOn } from './ring-change';
import { endDirectly } from './ring-ending';

type TaintPorts = CommandPorts<'ring taint'>;

interface TaintRequest {
  /** Whole or abbreviated. */
  readonly kid: string;
  readonly class: TaintClass;
  readonly reason: string;
  /** Take the steps from here, beside the case or without one. */
  readonly direct?: boolean;
}

export async function taintKey(deps: TaintPorts, request: TaintRequest, progress: Progress): Promise<Answer> {
  const { ring, key } = await findKeyByKid(request.kid, deps);
  if (key.kid !== request.kid) progress(`${request.kid} is ${key.kid} of ring ${ring.id}`);
  refuseUnlessTaintable(ring, key);
  const ended: EndedKey = { ring: ring.id, kid: key.kid, class: request.class, reason: request.reason };
  if (!hasIssued(key)) return retireStandby(ring, ended, deps, progress);
  if (request.direct === true) {
    await openBeside(ended, deps, progress);
    return endDirectly(ring, key, ended, deps, progress);
  }
  const caseId = await openOrHint(ended, deps);
  progress(`case ${caseId} ends ${key.kid}; it goes on if you stop watching`);
  return watch(caseId, ended, deps, progress);
}

async function openOrHint(ended: EndedKey, { functions }: TaintPorts): Promise<string> {
  try {
    return (await functions.invoke('taint-opener', ended)).caseId;
  } catch (error) {
    if (!isCurfewError(error, 'ERR_UNAVAILABLE')) throw error;
    throw new CurfewError(error.code, `the case that ends the key may not have started: ${error.message}`, {
      got: error.got,
      fix: `${error.fix ?? 'ask again'}; if the workflow does not answer, give --direct: the steps are taken from here`,
      cause: error,
    });
  }
}

/** Before the first step: if somebody stops the command, the case does the rest. If no case can be opened, the command goes on. */
async function openBeside(ended: EndedKey, { functions }: TaintPorts, progress: Progress): Promise<void> {
  try {
    const { caseId } = await functions.invoke('taint-opener', ended);
    progress(`case ${caseId} is open too: if you stop this command, the case does the rest`);
  } catch (error) {
    const why = isCurfewError(error) ? `${error.message} (${error.code})` : String(error);
    progress(`no case could be opened: if you stop this command, run it again (${why})`);
  }
}

const LOOK_EVERY_SECONDS = 2;
/** A wave over a million tokens takes minutes; what takes longer is looked at by `case show`. */
const WATCH_SECONDS_MAX = 1800;
const STILL_EVERY_SECONDS = 30;
/** Of a planned end: long enough to see it through where holders are given no time to collect. */
const COLLECTING_SECONDS_MAX = 180;

/** A line whenever the key or its case is further than before. */
async function watch(caseId: string, ended: EndedKey, deps: TaintPorts, progress: Progress): Promise<Answer> {
  const started = deps.clock.now();
  const until = started + WATCH_SECONDS_MAX;
  let told = { line: '', at: 0 };
  let stoppedAt: number | undefined;
  for (;;) {
    const ring = await loadRing(deps, ended.ring);
    const key = findKey(ring, ended.kid);
    const [state, kms] = [key.state, kmsOf(key)];
    const meta = await deps.tables.get(CASE, caseId);
    const now = deps.clock.now();
    const line = `${shortKid(ended.kid)} is ${state}, ${MEANS[state]}; in KMS: ${kms}; case: ${meta?.state ?? 'not found'}`;
    const isNew = line !== told.line;
    const isDue = now >= told.at + STILL_EVERY_SECONDS;
    if (isNew) progress(`+${now - started} s  ${line}`);
    else if (isDue) progress(`no change: ${whyStill(ring, ended, caseId, now)}`);
    if (isNew || isDue) told = { line, at: now };

    const proved = meta?.state === 'CLOSED';
    // Holders may collect for days: the command does not wait for them.
    stoppedAt ??= ended.class === 'planned' && state === 'SUSPECT' && isStopped(kms) ? now : undefined;
    const isCollecting = stoppedAt !== undefined && now >= stoppedAt + COLLECTING_SECONDS_MAX;
    if (proved || isCollecting || now >= until) {
      const resigned = ring.waves.find(({ fromKid }) => fromKid === ended.kid)?.result?.done;
      const json = { caseId, ring: ended.ring, kid: ended.kid, state, kms, resigned, proved };
      if (proved) {
        const isOld = meta.closedAt !== undefined && meta.closedAt < started ? ', which had ended it before' : '';
        const text = `${ended.kid} ${state}, ${resigned ?? 0} tokens re-signed; proved by ${caseId}${isOld}`;
        return { json, text: [text, issuesNow(ring)].join('\n') };
      }
      const why = isCollecting ? 'it signs no more, and holders may collect what is re-signed' : 'it is not over yet';
      const text = `${ended.kid} ${state}: ${why}\nthe case goes on by itself: curfew case show ${caseId} --follow`;
      return { json, text, exitCode: 1 };
    }
    await deps.clock.sleep(LOOK_EVERY_SECONDS);
  }
}

function whyStill(ring: Ring, { kid }: EndedKey, caseId: string, now: number): string {
  if (kid === ring.activeKid && successors(ring, now).length === 0)
    return `no STANDBY may take over yet; \`curfew ring halt ${ring.id}\` stops the ring until one is ready`;
  return `\`curfew case show ${caseId}\` says what it waits for`;
}

function issuesNow({ id, activeKid }: Ring): string {
  return activeKid === undefined ? `ring ${id} has no key that issues` : `ring ${id} issues under ${activeKid}`;
}

/** What a responder reads beside the state of the key. */
const MEANS: Readonly<Record<KeyState, string>> = {
  STANDBY: 'which never issued',
  OBSERVED: 'whose tokens count',
  ACTIVE: 'which still issues',
  VERIFY_ONLY: 'whose tokens count',
  SUSPECT: 'of whose tokens only those on record count',
  DENIED: 'of whose tokens none counts',
  RETIRED: 'whose last token has run out',
};

/** As the ring has it, from what KMS said last. */
function kmsOf(key: KeyRecord): string {
  return key.kmsState ?? kmsWordOn(key, []);
}

/** It leaves the JWKS at once, and there is nothing to re-sign. Asked again, it finds it RETIRED and says the same. */
async function retireStandby(
  ring: Ring,
  { kid, class: taintClass, reason }: EndedKey,
  deps: TaintPorts,
  progress: Progress,
): Promise<Answer> {
  const targets = [{ kid, class: taintClass, reason }];
  const { states } = await taintKeys({ ring: ring.id, targets }, deps);
  const state = states.find((one) => one.kid === kid)?.state ?? 'not told';
  progress(`${kid} is ${state}: it never issued, and is not published any more`);
  // The plan of the ring also has another one born.
  const disabled = await inTurn(`ring ${ring.id}`, () => disableOldKeys(ring.id, undefined, deps));
  const kms = kmsWordOn(findKey(ring, kid), disabled);
  const isEnded = state === 'RETIRED' && isStopped(kms);
  return {
    json: { ring: ring.id, kid, state, kms, resigned: 0 },
    text: `${kid} ${state}: a STANDBY, so no token is touched; another takes its place`,
    exitCode: isEnded ? 0 : 1,
  };
}
