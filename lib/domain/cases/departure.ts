/**
 * What all that HR said of one worker comes to: the departures that are scheduled, and what speaks against a case that has
 * begun. Pure, and the same for the same statements in whatever order they came.
 *
 *     statements of (source, id) ─► whose are they? ─► of a case that has begun: voices, or reasons to ask
 *                                                  └─► of none: the schedule
 *
 * Until a case has begun nothing has to be undone: the schedule is computed anew, and that is all.
 */
import { ACTS, type Act, type CaseMeta, type Voice } from '../store/case';
import type { Said } from '../store/worker';

/** Instants so close to each other are one departure: the end of a shift here, of the day there, of the month in payroll. */
const SAME_DEPARTURE_SECONDS = 36 * 3600;
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
  CaseMeta,
  'caseId' | 'act' | 'number' | 'effectiveAt' | 'openedAt' | 'closedAt' | 'givenBackAt' | 'voices'
>;

const ACT_OF: Partial<Readonly<Record<Said['kind'], Act>>> = {
  termination: 'end',
  contract_end: 'end',
  suspension: 'suspend',
  transfer: 'custody',
};

export function covers(stronger: Act, weaker: Act): boolean {
  return ACTS.indexOf(stronger) >= ACTS.indexOf(weaker);
}

/** Those that have not begun, the first due first. `begun`: the cases of this worker, but no follow-up. */
export function scheduledDepartures(said: readonly Said[], begun: readonly Begun[]): readonly Departure[] {
  const free = said.filter((statement) => ownerOf(statement, said, begun) === undefined);
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

/**
 * What a rescind takes back: of what its source said last of each act, the one whose instant it names, else the one that was
 * said last. Undefined where the source had said nothing: a rescind planted ahead disarms nothing.
 */
function targetOf(rescind: Said, said: readonly Said[]): Said | undefined {
  const before = said.filter(
    (other) =>
      other.source === rescind.source &&
      ACT_OF[other.kind] !== undefined &&
      other.saidAt <= rescind.saidAt &&
      (rescind.employment === undefined || other.employment === undefined || other.employment === rescind.employment),
  );
  const strongestFirst = [...ACTS].reverse();
  const latest = strongestFirst.flatMap((act) => latestOf(before.filter(({ kind }) => ACT_OF[kind] === act)));
  const last = Math.max(...latest.map(({ saidAt }) => saidAt));
  return (
    latest.find(({ effectiveAt }) => effectiveAt === rescind.effectiveAt) ??
    latest.find(({ saidAt }) => saidAt === last)
  );
}

/** Those said last, the earliest instant first; several where they were said at one instant. */
function latestOf(statements: readonly Said[]): readonly Said[] {
  const last = Math.max(...statements.map(({ saidAt }) => saidAt));
  return statements
    .filter(({ saidAt }) => saidAt === last)
    .sort((a, b) => a.effectiveAt - b.effectiveAt || (a.kind < b.kind ? -1 : 1));
}

/** The last word of one source about one act; `at` is undefined where it took the departure back. */
interface Word {
  readonly source: string;
  readonly at?: number;
  readonly meaning: Said['meaning'];
  readonly corroboration: Said['corroboration'];
  readonly contradicts: boolean;
  readonly statements: readonly Said[];
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

/** Only dates of one meaning are compared: an employment end counts where no source gave an access end. */
function ofOneMeaning(standing: readonly Word[]): readonly Word[] {
  const exact = standing.filter(({ meaning }) => meaning === 'access-end');
  return exact.length > 0 ? exact : standing;
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

/** One word a source, of those that said anything about this act. */
function wordsOf(act: Act, statements: readonly Said[], said: readonly Said[]): readonly Word[] {
  const about = statements.filter((one) =>
    one.kind === 'rescinded' ? targetsAct(one, act, statements) : ACT_OF[one.kind] === act,
  );
  const sources = [...new Set(about.map(({ source }) => source))].sort();
  return sources.flatMap((source) => wordOf(source, about, said) ?? []);
}

function targetsAct(rescind: Said, act: Act, statements: readonly Said[]): boolean {
  const target = targetOf(rescind, statements);
  return target !== undefined && ACT_OF[target.kind] === act;
}

function wordOf(source: string, about: readonly Said[], all: readonly Said[]): Word | undefined {
  const own = about.filter((one) => one.source === source && counts(one, about));
  const contracts = [...new Set(own.map(({ employment }) => employment))];
  const words = contracts
    .filter((employment) => employment !== undefined || contracts.length === 1)
    .flatMap((employment) =>
      wordOfContract(
        source,
        own.filter((one) => one.employment === undefined || one.employment === employment),
      ),
    );
  const standing = words.filter(({ at }) => at !== undefined);
  const [withdrawn] = words.filter(({ at }) => at === undefined);
  // Access ends with the last contract. Where another one began anew it does not end.
  const last = [...standing].sort((a, b) => (a.at ?? 0) - (b.at ?? 0)).at(-1);
  if (last === undefined || isEmployedAnew(source, standing, all)) return withdrawn;
  // One whose end was taken back may go on, or may be long gone: nobody knows, so people are asked.
  return withdrawn === undefined ? last : { ...last, contradicts: true };
}

/** A rehire under another contract, by the same source, before the ones that end are over, and that did not end since. */
function isEmployedAnew(source: string, standing: readonly Word[], all: readonly Said[]): boolean {
  const ending = new Set(standing.flatMap(({ statements }) => statements.map(({ employment }) => employment)));
  const last = Math.max(...standing.map(({ at }) => at ?? 0));
  const own = all.filter((one) => one.source === source);
  const endsSince = (rehired: Said) =>
    own.some(
      ({ kind, employment, saidAt }) =>
        ACT_OF[kind] === 'end' && saidAt > rehired.saidAt && (employment ?? rehired.employment) === rehired.employment,
    );
  return own.some(
    (one) =>
      one.kind === 'rehire' &&
      one.employment !== undefined &&
      !ending.has(one.employment) &&
      !ending.has(undefined) &&
      one.effectiveAt <= last &&
      !endsSince(one),
  );
}

function wordOfContract(source: string, own: readonly Said[]): Word[] {
  const last = Math.max(...own.map(({ saidAt }) => saidAt));
  const latest = own.filter(({ saidAt }) => saidAt === last);
  const [first] = latest;
  if (first === undefined) return [];
  const departures = latest.filter(({ kind }) => kind !== 'rescinded');
  const dates = departures.map(({ effectiveAt }) => effectiveAt);
  const of = departures.length > 0 ? departures : [first];
  return [
    {
      source,
      ...(dates.length > 0 && { at: Math.min(...dates) }),
      meaning: of.some(({ meaning }) => meaning === 'access-end') ? 'access-end' : 'employment-end',
      corroboration: of.some(({ corroboration }) => corroboration === 'signed-fact') ? 'signed-fact' : 'confirmed',
      // Said at one instant, and not the same: which of them is the later word, nobody knows.
      contradicts: new Set(dates).size > 1 || (dates.length > 0 && departures.length < latest.length),
      statements: departures,
    },
  ];
}

/**
 * A word whose time is only that of its receipt may be an old one that arrives late: where it takes back or postpones, it
 * counts with a second voice.
 */
function counts(one: Said, about: readonly Said[]): boolean {
  if (one.timedBy === 'event') return true;
  const before = latestOf(about.filter((other) => other.source === one.source && other.saidAt < one.saidAt));
  const softens = before.some((other) => one.kind === 'rescinded' || one.effectiveAt > other.effectiveAt);
  if (!softens) return true;
  return about.some(
    (other) =>
      other.source !== one.source &&
      (one.kind === 'rescinded'
        ? other.kind === 'rescinded'
        : Math.abs(other.effectiveAt - one.effectiveAt) <= SAME_DEPARTURE_SECONDS),
  );
}
