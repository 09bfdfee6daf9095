/** Distrust: what a taint and a denial change, each in one transaction under the fence (`fence.ts`). */

import { CurfewError } from '../base/errors';
import { put } from '../store/entity';
import { TAINT_CLASSES } from '../store/ring-key';
import { ROW_ABSENT } from '../store/table';
import { WAVE } from '../store/wave';
import { change, fenced, is, type KeysWrite, type RecordDraft } from './fence';
import { findKey, type KeyRecord, longestTtl, type Ring, type TaintClass, type Wave, type WaveResult } from './ring';
import { activation, isOpen, leaving, moveWave } from './transitions';

export interface TaintTarget {
  readonly kid: string;
  readonly class: TaintClass;
  readonly reason: string;
}

/** A STANDBY never did, nor one that was RETIRED as such. */
export function hasIssued({ state, kind, activatedAt }: KeyRecord): boolean {
  return state !== 'STANDBY' && (state !== 'RETIRED' || kind === 'legacy' || activatedAt !== undefined);
}

/** Told before anything is prepared for it. */
export function refuseUnlessTaintable(ring: Ring, key: KeyRecord): void {
  if (key.state !== 'RETIRED' || !hasIssued(key)) return;
  throw new CurfewError('ERR_KEY_STATE', `key ${key.kid} of ring ${ring.id} has no token that a taint could end`, {
    got: key.state,
    allowed: ['STANDBY', 'ACTIVE', 'VERIFY_ONLY', 'OBSERVED', 'SUSPECT', 'DENIED'],
    fix: 'nothing to do: its last token has expired',
  });
}

/** How far a taint goes is decided by its class: a word that is none is refused. */
export function parseTaintClass(given: unknown): TaintClass {
  const known = TAINT_CLASSES.find((one) => one === given);
  if (known !== undefined) return known;
  throw new CurfewError('ERR_INPUT_INVALID', 'the taint class is not compromise or planned', {
    got: given,
    allowed: TAINT_CLASSES,
  });
}

/**
 * Taints every target at once. An ACTIVE one is replaced in the same transaction: there is no instant without a key
 * that issues, and none at which a SUSPECT key still does. Each target gets one wave to the key that is ACTIVE
 * afterwards, and that key the window the wave needs, so that a re-signed token is good wherever the feed is known.
 * A STANDBY is RETIRED: another one is born. A target that is tainted already is joined, not tainted twice: the stronger
 * class counts, and the record names every case, also one that finds the key DENIED.
 */
export function taint(
  ring: Ring,
  targets: readonly TaintTarget[],
  successor: string | undefined,
  caseId: string | undefined,
  now: number,
): KeysWrite[] {
  const cases = caseId === undefined ? [] : [caseId];
  const standbys = targets.filter(({ kid }) => findKey(ring, kid).state === 'STANDBY');
  const fresh = targets.filter(({ kid }) => TAINTABLE.includes(findKey(ring, kid).state));
  const joined = targets.filter(({ kid }) => JOINABLE.includes(findKey(ring, kid).state));
  const replaced = fresh.some(({ kid }) => kid === ring.activeKid);
  const toKid = replaced ? successor : ring.activeKid;
  if (replaced && toKid === undefined)
    throw new CurfewError(
      'ERR_KEY_STATE',
      `the taint of ACTIVE key ${ring.activeKid} of ring ${ring.id} names no successor`,
      {
        got: undefined,
        fix: 'prepare a STANDBY and name it',
      },
    );
  if (standbys.some(({ kid }) => kid === successor))
    throw new CurfewError('ERR_KEY_STATE', `successor ${successor} of ring ${ring.id} is tainted by the same request`, {
      got: successor,
      fix: 'taint the STANDBY first, then prepare another one',
    });
  if (toKid === undefined)
    throw new CurfewError('ERR_KEY_STATE', `ring ${ring.id} has no key to re-sign under`, {
      allowed: 'an ACTIVE key',
      fix: `see \`curfew ring show ${ring.id}\``,
    });

  const waveWindows = fresh.map(({ kid }) => {
    const iatFrom = Math.max(0, now - longestTtl(ring) - ring.cfg.skewSeconds);
    return { wave: kid, iatFrom, iatTo: now + ring.cfg.drainSeconds };
  });
  const writes: KeysWrite[] = [];
  const drafts: RecordDraft[] = [];

  // It never issued, so there is nothing to re-sign; what somebody signed with it beforehand leaves the JWKS with it.
  for (const { kid, reason } of standbys) {
    writes.push(change(ring, kid, { state: 'RETIRED', inJwks: false }, [is('state', 'STANDBY')]));
    drafts.push({ type: 'key.retired', case: caseId, body: { kid, from: 'STANDBY', reason } });
  }
  for (const { kid, class: taintClass, reason } of fresh) {
    const key = findKey(ring, kid);
    const inJwks = taintClass === 'planned';
    const leavingActive = key.state === 'ACTIVE' ? leaving(ring, key, 'SUSPECT', now) : { state: 'SUSPECT' as const };
    const set = { ...leavingActive, inJwks, taint: { class: taintClass, reason, at: now, cases } };
    writes.push(change(ring, kid, set, [is('state', key.state)]));
    const wave: Wave = { fromKid: kid, toKid, state: 'OPEN', openedAt: now, cases };
    writes.push(put(WAVE, [ring.id, kid], wave, ROW_ABSENT));
    drafts.push({
      type: 'key.tainted',
      case: caseId,
      body: { kid, class: taintClass, reason, from: key.state, cases, toKid },
    });
  }
  const moved = new Set(replaced ? ring.waves.filter(isOpen).map(({ fromKid }) => fromKid) : []);
  for (const target of joined) {
    const key = findKey(ring, target.kid);
    const known = key.taint;
    if (!known) continue;
    const stronger = known.class === 'planned' && target.class === 'compromise' && key.state === 'SUSPECT';
    const joins = caseId !== undefined && !known.cases.includes(caseId);
    if (!stronger && !joins) continue;
    const all = joins ? [...known.cases, caseId] : known.cases;
    const joinedTaint = { ...known, cases: all, ...(stronger && { class: target.class, reason: target.reason }) };
    const set = { taint: joinedTaint, ...(stronger && { inJwks: false }) };
    writes.push(change(ring, target.kid, set, [is('state', key.state)]));
    if (key.state === 'SUSPECT') {
      writes.push(moveWave(ring, target.kid, { toKid, joinedBy: joins ? caseId : undefined }));
      moved.delete(target.kid);
    }
    drafts.push({
      type: 'key.tainted',
      case: caseId,
      body: {
        kid: target.kid,
        class: joinedTaint.class,
        reason: joinedTaint.reason,
        from: key.state,
        cases: all,
        toKid,
      },
    });
    // Too late to change anything: the case is told how it ended.
    const ended = key.state === 'DENIED' ? ring.waves.find(({ fromKid }) => fromKid === target.kid)?.result : undefined;
    if (ended) drafts.push(...denial(ring, target.kid, joinedTaint.class, all, ended, caseId));
  }
  if (writes.length === 0) return [];

  if (waveWindows.length > 0)
    drafts.push({ type: 'key.window', case: caseId, body: { kid: toKid, windows: waveWindows } });
  if (replaced) {
    const successorChange = activation(ring, toKid, now, { waveWindows });
    writes.push(...successorChange.writes, ...[...moved].map((fromKid) => moveWave(ring, fromKid, { toKid })));
    return fenced(ring, now, [...drafts, ...successorChange.drafts], writes, {
      set: { activeKid: toKid },
      add: { activations: 1 },
    });
  }
  if (waveWindows.length > 0)
    writes.push(
      change(ring, toKid, { windows: [...findKey(ring, toKid).windows, ...waveWindows] }, [is('state', 'ACTIVE')]),
    );
  return fenced(ring, now, drafts, writes);
}

const TAINTABLE = ['ACTIVE', 'VERIFY_ONLY', 'OBSERVED'];
const JOINABLE = ['SUSPECT', 'DENIED'];

/** SUSPECT → DENIED, terminal. Only once a second pass, after the drain, found nothing left to re-sign. */
export function deny(ring: Ring, kid: string, result: WaveResult, now: number): KeysWrite[] {
  const key = findKey(ring, kid);
  const cases = key.taint?.cases ?? [];
  const drafts = denial(ring, kid, key.taint?.class, cases, result, cases[0]);
  return fenced(ring, now, drafts, [
    change(ring, kid, { state: 'DENIED', deniedAt: now, inJwks: false }, [is('state', 'SUSPECT')]),
    {
      kind: 'update',
      table: 'keys',
      key: WAVE.key(ring.id, kid),
      set: { state: 'DONE', result: { ...result, excluded: { ...result.excluded } } },
      if: [is('state', 'OPEN')],
    },
  ]);
}

/** How a wave ended, for one case or for all: what the offline verifier looks for under the case's name. */
function denial(
  { waves }: Ring,
  kid: string,
  taintClass: TaintClass | undefined,
  cases: readonly string[],
  result: WaveResult,
  caseId: string | undefined,
): RecordDraft[] {
  const toKid = waves.find(({ fromKid }) => fromKid === kid)?.toKid;
  return [
    {
      type: 'wave.completed',
      case: caseId,
      body: { kid, wave: kid, fromKid: kid, toKid, cases, ...result, excluded: { ...result.excluded } },
    },
    { type: 'key.denied', case: caseId, body: { kid, class: taintClass, cases } },
  ];
}
