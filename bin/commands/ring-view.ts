/** `curfew ring list` and `curfew ring show RING`: what each ring and each key is, until when, and what comes next. */

import { instant, span } from '../../lib/domain/base/time';
import { shortKid } from '../../lib/domain/jose/jwk';
import { type Forecast, forecast } from '../../lib/domain/rings/forecast';
import { activeKey, type Ring, STANDBYS } from '../../lib/domain/rings/ring';
import {
  isClosed,
  isStanding,
  nextRotationAt,
  planRotation,
  type RotationAction,
  successors,
} from '../../lib/domain/rings/rotation';
import { isOpen } from '../../lib/domain/rings/transitions';
import { listRings, loadRing } from '../../lib/work/rings/load-ring';
import { table } from '../edge/terminal';
import type { Answer, CommandPorts } from './command';
import { notesOf } from './ring-notes';
import { type TimelineOptions, timeline } from './ring-timeline';

export async function showRings(deps: CommandPorts<'ring list'>): Promise<Answer> {
  const now = deps.clock.now();
  const rings = await Promise.all((await listRings(deps)).map(({ id }) => loadRing(deps, id)));
  const rows = rings.map((ring) => summary(ring, now));
  const head = ['ring', 'alg', 'ACTIVE', 'age', 'STANDBY ready', 'next rotation', 'tainted, waves', 'issues'];
  const cells = rows.map((row) => [
    row.ring,
    row.alg,
    row.activeKid ?? '-',
    row.activeSeconds === undefined ? '-' : span(row.activeSeconds),
    `${row.standbysReady} of ${STANDBYS}`,
    row.nextRotationAt === undefined ? '-' : `${instant(row.nextRotationAt)}, ${until(row.nextRotationAt, now)}`,
    row.suspect + row.openWaves === 0 ? '-' : `${row.suspect} SUSPECT, ${row.openWaves} open`,
    row.issuing,
  ]);
  return {
    json: rows,
    text: rows.length > 0 ? table(head, cells) : 'no ring has been deployed',
  };
}

function summary(ring: Ring, now: number) {
  const active = activeKey(ring);
  return {
    ring: ring.id,
    alg: ring.cfg.alg,
    activeKid: active?.kid,
    activeSeconds: active && now - (active.activatedAt ?? now),
    standbysReady: successors(ring, now).length,
    nextRotationAt: nextRotationAt(ring),
    suspect: ring.keys.filter(({ state }) => state === 'SUSPECT').length,
    openWaves: ring.waves.filter(isOpen).length,
    issuing: issuingOf(ring),
  };
}

function issuingOf(ring: Ring): 'yes' | 'HALTED' | 'closing' | 'closed' | 'not yet' {
  if (isClosed(ring)) return 'closed';
  if (ring.closingAt !== undefined) return 'closing';
  if (ring.activeKid === undefined) return 'not yet';
  return ring.halted ? 'HALTED' : 'yes';
}

export async function showRing(deps: CommandPorts<'ring show'>, id: string, drawing: TimelineOptions): Promise<Answer> {
  const ring = await loadRing(deps, id);
  const now = deps.clock.now();
  const next = planRotation(ring, now);
  const coming = forecast(ring, now);
  // All that is on record of a ring; none of it is secret.
  const { activeKid, halted, closingAt, cfg, keys, waves } = ring;
  return {
    json: { ring: id, now, issuing: issuingOf(ring), activeKid, halted, closingAt, cfg, keys, waves, next, coming },
    text: [
      heading(ring),
      keyTable(ring, now),
      ...notes(ring, now),
      timeline(ring, now, drawing),
      whatNext(ring, next, coming, now),
    ].join('\n\n'),
  };
}

function heading(ring: Ring): string {
  const { iss, aud, alg, periodSeconds, maxTtlSeconds } = ring.cfg;
  const issuing = issuingOf(ring);
  return [
    `ring ${ring.id}  ${alg}${issuing === 'yes' ? '' : `  ${issuing === 'not yet' ? 'issues nothing yet' : issuing}`}`,
    `iss ${iss}  aud ${aud}`,
    `rotates every ${span(periodSeconds)}; a token lives ${span(maxTtlSeconds)} at most`,
  ].join('\n');
}

function keyTable(ring: Ring, now: number): string {
  const rows = ring.keys.map((key) => [
    key.kid,
    key.state + (key.taint ? ` (${key.taint.class})` : ''),
    key.kind === 'legacy' ? 'not in KMS' : (key.kmsState ?? '-'),
    key.inJwks && now <= key.verifyUntil ? 'yes' : 'no',
    key.kind === 'kms' ? instant(key.signUntil) : '-',
    key.state === 'DENIED' || key.state === 'RETIRED' ? '-' : instant(key.verifyUntil),
  ]);
  return table(['kid', 'state', 'KMS', 'in JWKS', 'could sign until', 'verifies until'], rows);
}

function notes(ring: Ring, now: number): string[] {
  const rows = notesOf(ring, now);
  return rows.length > 0 ? [table(['kid', 'note'], rows)] : [];
}

function whatNext(ring: Ring, next: RotationAction | undefined, coming: readonly Forecast[], now: number): string {
  const rows: string[][] = [];
  if (next) rows.push(['now', '', `${inWords(next)} (the next tick does it)`]);
  if (ring.halted) rows.push(['now', '', `nothing is issued until \`curfew ring resume ${ring.id}\``]);
  for (const { fromKid, toKid } of ring.waves.filter(isOpen))
    rows.push([
      'now',
      '',
      `a wave re-signs what the ledger holds under ${shortKid(fromKid)}, under ${shortKid(toKid)}`,
    ]);
  for (const one of coming) rows.push([instant(one.at), until(one.at, now), says(ring, one, now)]);
  const lines = rows.length > 0 ? rows : [['now', '', 'nothing is due']];
  return table(['when', 'in', 'what happens next'], lines);
}

function says(ring: Ring, { kind, kid = '', subject }: Forecast, now: number): string {
  switch (kind) {
    case 'ready':
      return `${shortKid(kid)} may sign when its turn comes: every declared verifier can know it`;
    case 'rotate':
      return `${successorName(ring, now)} takes over; ${shortKid(kid)} verifies on and is disabled in KMS`;
    case 'disable':
      return `${shortKid(kid)} is disabled in KMS`;
    case 'retire':
      return `${shortKid(kid)} is RETIRED: its last token has expired`;
    case 'sign-until':
      return `KMS refuses ${shortKid(kid)} by its own policy, if no rotation came before`;
    case 'close':
      return 'the ring is RETIRED whole';
    case 'exemption-ends':
      return `the exemption of ${subject} ends`;
  }
}

/** Who is next by age; it may still have to wait. */
function successorName(ring: Ring, now: number): string {
  const next = successors(ring, now).at(0) ?? ring.keys.find((key) => isStanding(key, now));
  return next ? shortKid(next.kid) : 'a STANDBY';
}

function inWords(action: RotationAction): string {
  if ('kid' in action) return `${action.do} ${shortKid(action.kid)}`;
  return 'slot' in action ? `${action.do} slot ${action.slot}` : 'retire the ring whole';
}

function until(at: number, now: number): string {
  return at > now ? `in ${span(at - now)}` : `overdue by ${span(now - at)}`;
}
