/**
 * The keys of a ring over time, one line a key on one axis, for a terminal. Pure: what it draws is an argument.
 *
 *                2026-11-21              now                               2027-04-18
 *                                         |
 *     1 kT0pXa1V ================???xxxxxx
 *     2 Zm3ub0Qd   ::::::::::::::=========--------------------S
 *     3 0hzQmN3e       :::::::::::::::::::------------------------S
 *
 * Left of `now` is what happened; right of it what the key could still do if nobody did anything any more: its own
 * policy ends its signatures at S, and past V nothing it signed is good. The plan is sooner than that.
 */

import { instant } from '../../lib/domain/base/time';
import { shortKid } from '../../lib/domain/jose/jwk';
import type { KeyRecord, Ring } from '../../lib/domain/rings/ring';

/** Gravest last: a phase shorter than a column still gets one, and of several in one column the gravest shows. */
const PHASES = [
  { name: 'born', unicode: '·', ascii: '.' },
  { name: 'published', unicode: '░', ascii: ':' },
  { name: 'verify-only', unicode: '▒', ascii: '~' },
  { name: 'observed', unicode: '○', ascii: 'o' },
  { name: 'could sign', unicode: '─', ascii: '-' },
  { name: 'active', unicode: '█', ascii: '=' },
  { name: 'suspect', unicode: '?', ascii: '?' },
  { name: 'denied', unicode: '×', ascii: 'x' },
] as const;
type PhaseName = (typeof PHASES)[number]['name'];

interface Phase {
  readonly name: PhaseName;
  readonly from: number;
  readonly to: number;
}

export interface TimelineOptions {
  readonly width: number;
  readonly unicode: boolean;
}

const WIDTH_MIN = 60;
/** Periods of the ring on each side of now at most, so that a key of long ago does not squeeze the others. */
const PERIODS_BACK = 2;

export function timeline(ring: Ring, now: number, { width, unicode }: TimelineOptions): string {
  const oldest = now - PERIODS_BACK * ring.cfg.periodSeconds;
  const drawn = ring.keys.filter(({ verifyUntil }) => verifyUntil > oldest);
  if (drawn.length === 0) return 'no key of the last periods to draw';
  const own = drawn.filter(({ kind }) => kind === 'kms');
  const from = Math.max(oldest, Math.min(now, ...drawn.map(({ bornAt }) => bornAt)));
  const to = Math.max(now + 1, ...(own.length > 0 ? own : drawn).map(({ verifyUntil }) => verifyUntil));

  const labels = drawn.map(({ slot, kind, kid }) => `${kind === 'kms' ? slot : 'PEM'} ${shortKid(kid)}`);
  const margin = Math.max(...labels.map(({ length }) => length)) + 1;
  const columns = Math.max(WIDTH_MIN, width) - margin - 1;
  const axis = { from, to, columns };
  const bar = unicode ? '│' : '|';
  const rows = drawn.map((key) => cellsOf(key, now, axis, unicode));
  const left = ring.keys.length - drawn.length;
  return [
    `${' '.repeat(margin)}${scale(axis, now)}`,
    `${' '.repeat(margin + columnOf(now, axis))}${bar}`,
    ...rows.map((cells, n) => `${(labels[n] ?? '').padEnd(margin)}${cells}`.trimEnd()),
    '',
    legend(rows.join(''), { width, unicode }),
    ...(left > 0 ? [`${left} older ${left === 1 ? 'key is' : 'keys are'} over and not drawn`] : []),
  ].join('\n');
}

interface Axis {
  readonly from: number;
  readonly to: number;
  readonly columns: number;
}

function columnOf(at: number, { from, to, columns }: Axis): number {
  return Math.min(columns - 1, Math.max(0, Math.floor(((at - from) / (to - from)) * columns)));
}

function cellsOf(key: KeyRecord, now: number, axis: Axis, unicode: boolean): string {
  const cells = Array.from({ length: axis.columns }, () => ' ');
  const phases = phasesOf(key, now);
  for (const { name, unicode: wide, ascii } of PHASES)
    for (const phase of phases.filter((one) => one.name === name && one.to > axis.from && one.from < axis.to)) {
      // The column in which a phase ends belongs to what comes next, but for a phase that has no other.
      const first = columnOf(phase.from, axis);
      const last = Math.max(first, columnOf(phase.to, axis) - (phase.to > axis.to ? 0 : 1));
      cells.fill(unicode ? wide : ascii, first, last + 1);
    }
  for (const [mark, at] of Object.entries(endsOf(key))) {
    if (at > now && at <= axis.to) cells[columnOf(at, axis)] = mark;
  }
  if (key.verifyUntil > axis.to && !isOver(key)) cells[axis.columns - 1] = CUT;
  return cells.join('');
}

const CUT = '>';
const ENDS = { S: 'its own policy ends its right to sign', V: 'past this nothing it signed is good' } as const;

/** In order of drawing: where both are one column, the first thing that ends is what to know. */
function endsOf(key: KeyRecord): { readonly [E in keyof typeof ENDS]?: number } {
  if (isOver(key)) return {};
  const { state, signUntil, verifyUntil } = key;
  return state === 'ACTIVE' || state === 'STANDBY' ? { V: verifyUntil, S: signUntil } : { V: verifyUntil };
}

function isOver({ state }: KeyRecord): boolean {
  return state === 'DENIED' || state === 'RETIRED';
}

/** What it was until now, and, while it lives, what it could be from now on. */
function phasesOf(key: KeyRecord, now: number): Phase[] {
  const { kind, state, bornAt, confirmedAt, activatedAt, deactivatedAt, taint, deniedAt, signUntil, verifyUntil } = key;
  const phases: Phase[] = [];
  const add = (name: PhaseName, from: number | undefined, ...ends: readonly (number | undefined)[]) => {
    const to = Math.min(...ends.filter((end) => end !== undefined));
    if (from !== undefined && to > from) phases.push({ name, from, to });
  };
  if (kind === 'legacy') add('observed', bornAt, taint?.at, verifyUntil);
  else {
    add('born', bornAt, confirmedAt, activatedAt, signUntil, now);
    add('published', confirmedAt, activatedAt, signUntil, now);
    add('active', activatedAt, deactivatedAt, signUntil, now);
    if (activatedAt !== undefined) add('verify-only', deactivatedAt ?? signUntil, taint?.at, verifyUntil);
    if (state === 'ACTIVE' || state === 'STANDBY') add('could sign', now, signUntil);
  }
  add('suspect', taint?.at, deniedAt ?? Math.max(verifyUntil, now));
  add('denied', deniedAt, Math.max(verifyUntil, now));
  return phases;
}

/** Dates at both ends, and `now` above its column. */
function scale(axis: Axis, now: number): string {
  const day = (at: number) => instant(at).slice(0, 10);
  const cells = Array.from({ length: axis.columns }, () => ' ');
  const write = (word: string, at: number) => {
    const start = Math.max(0, Math.min(at, axis.columns - word.length));
    const room = cells.slice(Math.max(0, start - 1), start + word.length + 1);
    if (room.every((cell) => cell === ' ')) cells.splice(start, word.length, ...word);
  };
  write('now', columnOf(now, axis) - 1);
  write(day(axis.from), 0);
  write(day(axis.to), axis.columns);
  return cells.join('').trimEnd();
}

/** Only what is drawn, in as many lines as it takes. */
function legend(drawn: string, { width, unicode }: TimelineOptions): string {
  const signs = [
    ...PHASES.map((phase) => [unicode ? phase.unicode : phase.ascii, phase.name] as const),
    ...Object.entries(ENDS),
    [CUT, 'goes on beyond this'] as const,
  ];
  const said = signs.filter(([sign]) => drawn.includes(sign)).map(([sign, says]) => `${sign} ${says}`);
  const lines = [''];
  for (const word of said) {
    const last = lines.at(-1) ?? '';
    if (last !== '' && last.length + 3 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last}   ${word}`;
  }
  return lines.join('\n');
}
