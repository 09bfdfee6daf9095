/**
 * What a run of the demo observed from outside, beside the evidence: told by the run, not by the log.
 *
 *     {"engine":"emulator","case":"c-…","timings":{"hrEventAt":1800000070.1,…},
 *      "checks":[{"id":"access-key-refused-after","claim":"…","expected":"…","observed":"…","ok":true}],…}
 */
import { CurfewError } from '../domain/base/errors';

export interface ObservedCheck {
  readonly id: string;
  readonly claim: string;
  readonly expected: unknown;
  readonly observed: unknown;
  readonly ok: boolean;
}

export interface Summary {
  readonly engine: string;
  readonly case: string;
  readonly settings: Readonly<Record<string, unknown>>;
  /** Epoch seconds, with fractions; in the order in which they were written. */
  readonly timings: readonly { readonly name: string; readonly at: number }[];
  readonly counts: Readonly<Record<string, unknown>>;
  readonly checks: readonly ObservedCheck[];
  readonly patched: readonly unknown[];
  readonly notProvedHere: readonly unknown[];
}

export function parseSummary(given: string): Summary {
  const value = parseJson(given);
  if (!isObject(value)) throw refuse('is an object', value);
  const {
    engine,
    case: caseId,
    settings = {},
    timings = {},
    counts = {},
    checks,
    patched = [],
    notProvedHere = [],
  } = value;
  if (typeof engine !== 'string' || typeof caseId !== 'string')
    throw refuse('names its engine and its case', { engine, caseId });
  if (!isObject(settings) || !isObject(timings) || !isObject(counts))
    throw refuse('has settings, timings and counts as objects');
  if (!Array.isArray(patched) || !Array.isArray(notProvedHere)) throw refuse('has patched and notProvedHere as lists');
  if (!Array.isArray(checks)) throw refuse('has a list of checks', checks);
  return {
    engine,
    case: caseId,
    settings,
    timings: Object.entries(timings).flatMap(([name, at]) =>
      at === null ? [] : [{ name, at: parseTiming(name, at) }],
    ),
    counts,
    checks: checks.map(parseCheck),
    patched,
    notProvedHere,
  };
}

function parseCheck(given: unknown): ObservedCheck {
  if (!isObject(given)) throw refuse('has checks that are objects', given);
  const { id, claim, expected, observed, ok } = given;
  if (typeof id === 'string' && typeof claim === 'string' && typeof ok === 'boolean')
    return { id, claim, expected, observed, ok };
  throw refuse('has checks with id, claim, expected, observed and ok', given);
}

const EARLIEST = Date.UTC(2000, 0, 1) / 1000;
const LATEST = Date.UTC(2100, 0, 1) / 1000;

/** Milliseconds would be an instant far out of range: refused rather than drawn. */
function parseTiming(name: string, given: unknown): number {
  const at = typeof given === 'string' ? Date.parse(given) / 1000 : given;
  if (typeof at === 'number' && at >= EARLIEST && at < LATEST) return at;
  throw refuse(`has timings.${name} in epoch seconds or as an ISO instant`, given);
}

function parseJson(given: string): unknown {
  try {
    return JSON.parse(given);
  } catch (cause) {
    throw new CurfewError('ERR_INPUT_INVALID', 'the summary is not JSON', { got: given.slice(0, 40), cause });
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refuse(rule: string, got?: unknown): CurfewError {
  return new CurfewError('ERR_INPUT_INVALID', `the summary ${rule}`, {
    got,
    fix: 'give the summary.json of the run that made this evidence',
  });
}
