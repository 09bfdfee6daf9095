/**
 * The word of one source about one act: what it said last of each contract, and whether it took that back. Pure, and the same
 * for the same statements in whatever order they came.
 */
import { ACTS, type Act } from '../store/case';
import type { Said } from '../store/worker';

/** Instants so close to each other are one departure: the end of a shift here, of the day there, of the month in payroll. */
export const SAME_DEPARTURE_SECONDS = 36 * 3600;

export const ACT_OF: Partial<Readonly<Record<Said['kind'], Act>>> = {
  termination: 'end',
  contract_end: 'end',
  suspension: 'suspend',
  transfer: 'custody',
};

/** The last word of one source about one act; `at` is undefined where it took the departure back. */
export interface Word {
  readonly source: string;
  readonly at?: number;
  readonly meaning: Said['meaning'];
  readonly corroboration: Said['corroboration'];
  readonly contradicts: boolean;
  readonly statements: readonly Said[];
}

/** One word a source, of those that said anything about this act. */
export function wordsOf(act: Act, statements: readonly Said[], said: readonly Said[]): readonly Word[] {
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
export function counts(one: Said, about: readonly Said[]): boolean {
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

/** Only dates of one meaning are compared: an employment end counts where no source gave an access end. */
export function ofOneMeaning(standing: readonly Word[]): readonly Word[] {
  const exact = standing.filter(({ meaning }) => meaning === 'access-end');
  return exact.length > 0 ? exact : standing;
}

/**
 * What a rescind takes back: of what its source said last of each act, the one whose instant it names, else the one that was
 * said last. Undefined where the source had said nothing: a rescind planted ahead disarms nothing.
 */
export function targetOf(rescind: Said, said: readonly Said[]): Said | undefined {
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
