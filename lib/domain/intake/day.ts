/** The end of a calendar day in a time zone: what HR means by a bare last day. Time zones as IANA's database has them. */
import { CurfewError } from '../base/errors';

const DAY = 86_400;
/** No zone is further from UTC than this. */
const OFFSET_MAX = 15 * 3600;

export function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en-CA', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

/**
 * The last second of the day `date` (`2027-02-26`) in `zone`, in epoch seconds. It is looked for and not computed: a day may
 * have 23 or 25 hours, and midnight need not exist.
 */
export function endOfDay(date: string, zone: string): number {
  const dayIn = dayReader(zone);
  const midnight = Date.parse(`${date}T00:00:00Z`) / 1000;
  let [during, after] = [midnight - OFFSET_MAX, midnight + DAY + OFFSET_MAX];
  while (after - during > 1) {
    const middle = Math.floor((during + after) / 2);
    if (dayIn(middle) > date) after = middle;
    else during = middle;
  }
  return during;
}

/** Answers the calendar day of an instant, as ISO 8601 spells it: such days are in order as text. */
function dayReader(zone: string): (at: number) => string {
  if (!isTimeZone(zone))
    throw new CurfewError('ERR_CONFIG_INVALID', 'the time zone of the source is not one of IANA', {
      got: zone,
      allowed: 'Asia/Seoul',
    });
  const format = new Intl.DateTimeFormat('en-CA', {
    timeZone: zone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  });
  return (at) => format.format(at * 1000);
}
