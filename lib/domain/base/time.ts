/** Epoch seconds as people read them: UTC, ISO 8601, and spans in the two largest units. */

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;
/** ISO 8601 has four digits for the year. */
const LATEST = Date.UTC(9999, 11, 31) / 1000;

/** `2027-01-15T08:00:03Z`; fractions of a second where there are any. */
export function instant(at: number): string {
  if (!(at >= 0 && at <= LATEST)) return 'an instant out of range';
  return new Date(Math.round(at * 1000)).toISOString().replace('.000Z', 'Z');
}

/** `3 s`, `3.2 s`, `4 min 10 s`, `2 h 5 min`, `12 d 4 h`: two units are what one can take in. */
export function span(seconds: number): string {
  const rounded = seconds < MINUTE ? Math.round(seconds * 10) / 10 : Math.round(seconds);
  if (rounded < MINUTE) return `${rounded} s`;
  if (rounded < HOUR) return pair(rounded, MINUTE, 'min', 1, 's');
  if (rounded < DAY) return pair(rounded, HOUR, 'h', MINUTE, 'min');
  return pair(rounded, DAY, 'd', HOUR, 'h');
}

function pair(seconds: number, large: number, largeUnit: string, small: number, smallUnit: string): string {
  const rest = Math.floor((seconds % large) / small);
  return `${Math.floor(seconds / large)} ${largeUnit}${rest > 0 ? ` ${rest} ${smallUnit}` : ''}`;
}
