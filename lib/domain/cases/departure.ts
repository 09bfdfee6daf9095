/**
 * What all that HR said of one worker comes to: the departures that are scheduled, and what speaks against a case that has
 * begun. Pure, and the same for the same statements in whatever order they came.
 *
 *     statements of (source, id) ─► whose are they? ─► of a case that has begun: voices, or reasons to ask
 *                                                  └─► of none: the schedule
 *
 * Until a case has begun nothing has to be undone: the schedule is computed anew, and that is all.
 */
import { ACTS, type Act, type DepartureCase, type Voice } from '../store/case';
import type { Said } from '../store/worker';
import { ACT_OF, counts, ofOneMeaning, SAME_DEPARTURE_SECONDS, targetOf, type Word, wordsOf } from './word';

/** Told of it so late, people look before anything is done that cannot be undone. */
const LONG_AGO_SECONDS = 31 * 86_400;
/** A case that has been closed for so long is not what a new statement speaks of. */
const OVER_AFTER_SECONDS = 30 * 86_400;

/** Why people are asked. */
type Doubt = 'unconfirmed' | 'withdrawn' | 'moved' | 'dates-apart' | 'contradiction' | 'long-ago';

/** A departure that has not begun. */
export interface Departure {
  readonly act: Act;
  /** Epoch seconds: containment begins at the earliest of the instants, and not a moment later for any doubt. */
  readonly effectiveAt: number;
  /** What cannot be undone waits for the latest of them. */
  readonly finalAt: number;
  /** `{doubt}` or `{doubt}:{source}`, in order. */
  readonly reasons: readonly string[];
  readonly statements: readonly Said[];
}

/** As much of a case that has begun as tells which statements speak of it. */
export type Begun = Pick<
  DepartureCase,
  'caseId' | 'act' | 'number' | 'effectiveAt' | 'openedAt' | 'closedAt' | 'givenBackAt' | 'voices'
>;

export function covers(stronger: Act, weaker: Act): boolean {
  return ACTS.indexOf(stronger) >= ACTS.indexOf(weaker);
}

/** Those that have not begun, the first due first. `begun`: the cases of this worker, but no follow-up. */
export function scheduledDepartures(said: readonly Said[], begun: readonly Begun[]): readonly Departure[] {
  const owners = new Map(said.map((statement) => [statement, ownerOf(statement, said, begun)]));
  // A departure that was given back was a mistake: what named its day replaces nothing.
  const standing = said.filter((statement) => {
    const owner = owners.get(statement);
    return owner !== undefined && owner.givenBackAt === undefined;
  });
  const free = said.filter((one) => owners.get(one) === undefined && !isReplaced(one, standing, said));
  return ACTS.flatMap((act) => departureOf(act, free, said) ?? []).sort(
    (a, b) => a.effectiveAt - b.effectiveAt || ACTS.indexOf(b.act) - ACTS.indexOf(a.act),
  );
}

/**
 * What speaks against a case that has begun, as of now. Where it is empty the sources agree. `overruled`: the reasons of
 * questions that people answered with "go on".
 */
export function reasonsAgainst(
  meta: Begun,
  said: readonly Said[],
  begun: readonly Begun[],
  overruled: readonly string[],
): readonly string[] {
  if (meta.givenBackAt !== undefined) return [];
  const words = wordsOf(meta.act, statementsOf(meta, said, begun), said);
  const standing = ofOneMeaning(words.filter(({ at }) => at !== undefined));
  const later = standing.filter((word) => isLater(word, meta));
  const near = standing.filter(({ at = 0 }) => Math.abs(at - meta.effectiveAt) <= SAME_DEPARTURE_SECONDS);
  const reasons = [
    ...words.filter(({ at }) => at === undefined).map(({ source }) => `withdrawn:${source}`),
    // Told before the case began, two sources disagree; told since, one of them has changed its mind.
    ...later.map((word) => (isToldSince(word, meta) ? `moved:${word.source}` : 'dates-apart')),
    ...doubtsOf(near, meta),
  ];
  return [...new Set(reasons)].filter((reason) => !isOverruled(reason, overruled)).sort();
}

/** What speaks of the case, and what its voices say of a later instant, as far as no newer case has it. */
function statementsOf(meta: Begun, said: readonly Said[], begun: readonly Begun[]): readonly Said[] {
  const isVoice = (source: string) => meta.voices.some((voice) => voice.source === source);
  return said.filter((statement) => {
    const owner = ownerOf(statement, said, begun);
    if (owner !== undefined) return owner.caseId === meta.caseId;
    return isVoice(statement.source) && !isOver(meta, statement, said);
  });
}

/** It names an instant that is another departure's: told before this one began, or of an instant still to come. */
function isLater(word: Word, meta: Begun): boolean {
  const { at = 0, statements } = word;
  const isApart = at > meta.effectiveAt + SAME_DEPARTURE_SECONDS;
  return isApart && (!isToldSince(word, meta) || statements.some((one) => one.effectiveAt > one.receivedAt));
}

function isToldSince({ statements }: Word, { openedAt }: Begun): boolean {
  return statements.some(({ receivedAt }) => receivedAt >= openedAt);
}

/** Whose word a departure rests on, one voice a source. */
export function voices(statements: readonly Said[]): readonly Voice[] {
  const bySource = new Map(statements.map(({ source, origin }) => [source, { source, origin }]));
  return [...bySource.values()].sort((a, b) => (a.source < b.source ? -1 : 1));
}

/** After a go-on the same source stops this departure no more, whatever it says next; nor does the same doubt. */
function isOverruled(reason: string, overruled: readonly string[]): boolean {
  const [, source] = reason.split(':');
  return overruled.includes(reason) || (source !== undefined && overruled.some((one) => one.endsWith(`:${source}`)));
}

/**
 * The case that a statement speaks of, where one has begun. The newest that may be meant: an older one is over, or the
 * statement would be of the newer.
 */
function ownerOf(statement: Said, said: readonly Said[], begun: readonly Begun[]): Begun | undefined {
  if (statement.kind === 'rescinded') {
    const target = targetOf(statement, said);
    return target && ownerOf(target, said, begun);
  }
  const act = ACT_OF[statement.kind];
  if (act === undefined) return undefined;
  return [...begun].sort((a, b) => b.number - a.number).find((meta) => speaksOf(statement, act, meta, said));
}

function speaksOf(statement: Said, act: Act, meta: Begun, said: readonly Said[]): boolean {
  if (!covers(meta.act, act)) return false;
  const { saidAt, receivedAt, effectiveAt } = statement;
  const { givenBackAt } = meta;
  const same = meta.effectiveAt + SAME_DEPARTURE_SECONDS;
  // What was given back is decided: it takes what people had before them with it, but no date that had not come.
  if (givenBackAt !== undefined)
    return Math.max(saidAt, receivedAt) <= givenBackAt && effectiveAt <= Math.max(givenBackAt, same);
  if (isOver(meta, statement, said)) return false;
  // The end of the employment follows the end of access, by months of garden leave: it is no departure of its own.
  if (statement.meaning === 'employment-end' && receivedAt < meta.openedAt) return true;
  // Another date within a month is one more opinion about the same departure, after that it is another departure. So is a
  // date before the case began, however late HR corrects it.
  const limit = meta.act === 'custody' ? same : meta.effectiveAt + LONG_AGO_SECONDS;
  return effectiveAt <= Math.max(limit, meta.openedAt);
}

/**
 * Its source has since named the instant at which a case began, and nobody had said by then that the worker is taken on again
 * in between: what was replaced does not come back, whatever is said later.
 */
function isReplaced(statement: Said, owned: readonly Said[], said: readonly Said[]): boolean {
  const act = ACT_OF[statement.kind];
  const rehires = said.filter(({ kind }) => kind === 'rehire');
  const ofAct = said.filter(({ kind }) => kind === 'rescinded' || ACT_OF[kind] === act);
  return (
    act !== undefined &&
    owned.some((other) => {
      const from = Math.min(other.effectiveAt, statement.effectiveAt);
      const to = Math.max(other.effectiveAt, statement.effectiveAt);
      return (
        other.source === statement.source &&
        ACT_OF[other.kind] === act &&
        other.employment === statement.employment &&
        other.saidAt > statement.saidAt &&
        counts(other, ofAct) &&
        !rehires.some(({ saidAt, effectiveAt }) => saidAt <= other.saidAt && from <= effectiveAt && effectiveAt <= to)
      );
    })
  );
}

/** HR has said since that the worker is taken on again, and the instant has come: what they have now is not the leaver's. */
export function isTakenOnSince(
  { effectiveAt: from }: Pick<Begun, 'effectiveAt'>,
  said: readonly Said[],
  now: number,
): boolean {
  return said.some(({ kind, effectiveAt }) => kind === 'rehire' && from < effectiveAt && effectiveAt <= now);
}

/** Closed for so long, or with a rehire in between, that a statement cannot be about it any more. */
function isOver(
  { closedAt, effectiveAt: from }: Begun,
  { saidAt, effectiveAt: to }: Said,
  said: readonly Said[],
): boolean {
  if (closedAt !== undefined && saidAt >= closedAt + OVER_AFTER_SECONDS) return true;
  return said.some(
    ({ kind, effectiveAt }) => kind === 'rehire' && from <= effectiveAt && effectiveAt <= to && from < to,
  );
}

function departureOf(act: Act, free: readonly Said[], said: readonly Said[]): Departure | undefined {
  const words = wordsOf(act, free, said);
  const standing = words.filter(({ at }) => at !== undefined);
  const counted = ofOneMeaning(standing);
  const dates = counted.flatMap(({ at }) => at ?? []);
  if (dates.length === 0) return undefined;
  const [effectiveAt, latest] = [Math.min(...dates), Math.max(...dates)];
  const withdrawn = words.filter(({ at }) => at === undefined).map(({ source }) => `withdrawn:${source}`);
  return {
    act,
    effectiveAt,
    finalAt: latest - effectiveAt <= SAME_DEPARTURE_SECONDS ? latest : effectiveAt,
    reasons: [
      ...withdrawn,
      ...(latest - effectiveAt > SAME_DEPARTURE_SECONDS ? ['dates-apart'] : []),
      ...doubtsOf(standing),
    ].sort(),
    statements: standing.flatMap(({ statements }) => statements),
  };
}

/** Doubts that the words themselves give; and how late the case began, if it has begun. */
function doubtsOf(standing: readonly Word[], meta?: Begun): readonly Doubt[] {
  const unconfirmed = standing.length < 2 && standing.every(({ corroboration }) => corroboration === 'confirmed');
  const isLongAgo = meta !== undefined && meta.effectiveAt < meta.openedAt - LONG_AGO_SECONDS;
  return [
    ...(standing.some(({ contradicts }) => contradicts) ? (['contradiction'] as const) : []),
    ...(isLongAgo ? (['long-ago'] as const) : []),
    ...(standing.length > 0 && unconfirmed ? (['unconfirmed'] as const) : []),
  ];
}
