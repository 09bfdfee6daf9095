/**
 * Exemptions from what synth refuses: typed, dated, each with where its approval is on file. They stand in the record
 * of every ring (`ring.created`, `ring.updated`), so that an auditor sees what was let through, by whom and until when.
 *
 *     {"rule":"ERR_RING_LIMIT","subject":"customer-api","approver":"CHG-7","reason":"partner rotates yearly","until":"2027-03-31"}
 */
import { isMembers } from '../base/encoding';
import { CurfewError } from '../base/errors';
import type { Exemption } from '../store/ring-head';

/** What may be let through at all, and what its `subject` is. Nothing exempts from a schedule, a standby age or the lock on evidence. */
export const EXEMPTABLE = {
  ERR_RING_LIMIT: 'a ring id: its keys may sign for longer than the limit',
  ERR_KEY_OUTSIDE_RING: 'the construct path of a signing key that no ring rotates',
} as const satisfies Record<Exemption['rule'], string>;
type ExemptableRule = Exemption['rule'];

export type { Exemption } from '../store/ring-head';

const DAY = 86_400;
/** An operator who needs it for longer asks again. */
const EXEMPT_DAYS_MAX = 366;
const MEMBERS: readonly string[] = ['rule', 'subject', 'approver', 'reason', 'until'] satisfies (keyof Exemption)[];

/** Throws `ERR_EXEMPTION` for one without approver, past its date, or for longer than a year. `now` in epoch seconds. */
export function parseExemptions(given: unknown, now: number): readonly Exemption[] {
  const exemptions = exemptionsIn(given);
  for (const exemption of exemptions) checkDate(exemption, now);
  return exemptions;
}

/** Their shape alone: whoever records what was let through also records what counts no more. */
export function exemptionsIn(given: unknown): readonly Exemption[] {
  if (!Array.isArray(given)) throw refuse('exemptions are not a list', typeof given, 'array');
  return given.map(exemptionIn);
}

/** Epoch seconds of the first instant at which the exemption counts no more. */
export function endOf({ until }: Pick<Exemption, 'until'>): number {
  return Date.parse(`${until}T00:00:00Z`) / 1000 + DAY;
}

export function isExempt(exemptions: readonly Exemption[], rule: ExemptableRule, subject: string): boolean {
  return exemptions.some((exemption) => exemption.rule === rule && exemption.subject === subject);
}

function exemptionIn(given: unknown): Exemption {
  if (!isMembers(given)) throw refuse('an exemption is not an object', typeof given, MEMBERS);
  const { rule, subject, approver, reason, until } = given;
  const extra = Object.keys(given).find((name) => !MEMBERS.includes(name));
  if (extra !== undefined) throw refuse('an exemption has an unknown member', extra, MEMBERS);
  if (!isExemptable(rule)) throw refuse('no exemption exists from this rule', rule, Object.keys(EXEMPTABLE));
  if (typeof subject !== 'string' || subject === '')
    throw refuse(`an exemption from ${rule} has no subject`, subject, EXEMPTABLE[rule]);
  const what = named({ rule, subject });
  if (typeof approver !== 'string' || approver.trim() === '')
    throw refuse(`${what} has no approver`, approver, 'where the approval is on file');
  if (typeof reason !== 'string' || reason.trim() === '') throw refuse(`${what} has no reason`, reason, 'a sentence');
  if (typeof until !== 'string' || !isDay(until)) throw refuse(`${what} has no date`, until, 'YYYY-MM-DD');
  return { rule, subject, approver, reason, until };
}

function checkDate(exemption: Exemption, now: number): void {
  const { until } = exemption;
  if (now >= endOf(exemption)) throw refuse(`${named(exemption)} is past its date`, until, dayOf(now));
  if (endOf(exemption) > now + EXEMPT_DAYS_MAX * DAY)
    throw refuse(
      `${named(exemption)} is for longer than a year`,
      until,
      `${dayOf(now + (EXEMPT_DAYS_MAX - 1) * DAY)} at the latest`,
    );
}

function named({ rule, subject }: Pick<Exemption, 'rule' | 'subject'>): string {
  return `the exemption of ${subject} from ${rule}`;
}

function isExemptable(rule: unknown): rule is ExemptableRule {
  return typeof rule === 'string' && Object.hasOwn(EXEMPTABLE, rule);
}

function isDay(text: string): boolean {
  const at = Date.parse(`${text}T00:00:00Z`);
  return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(at) && dayOf(at / 1000) === text;
}

function dayOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10);
}

function refuse(message: string, got: unknown, allowed: unknown): CurfewError {
  return new CurfewError('ERR_EXEMPTION', message, {
    got,
    allowed,
    fix: 'have it approved again with a new date, or do without it',
  });
}
