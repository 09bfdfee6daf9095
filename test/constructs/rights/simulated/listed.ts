/** What is allowed, as a person reviews it: for each principal a line per set of things, with the actions on all of them. */
import type { Allowed } from './matrix';

export function listed(allowed: readonly Allowed[]): string {
  const lines = groups(allowed, ({ by }) => by).flatMap(([by, rows]) => ['', by, ...linesOf(rows)]);
  return `${[HEADER, ...lines].join('\n')}\n`;
}

const HEADER =
  '# Written by allowed.night.test.ts: who may do what, to what, and if. What does not stand here is refused.';

/** Asked by the policy of every bucket. */
const TLS = 'aws:SecureTransport Bool true and s3:TlsVersion NumericGreaterThanEquals 1.2';

/** Actions that are allowed on the same things, under the same conditions, share a line. */
function linesOf(rows: readonly Allowed[]): string[] {
  const perAction = groups(rows, ({ action, when }) => JSON.stringify([action, when])).map(([, of]) => ({
    action: of[0]?.action ?? '',
    when: of[0]?.when ?? '',
    on: of.map(({ on }) => on).join(', '),
  }));
  return groups(perAction, ({ action, when, on }) => JSON.stringify([action.split(':')[0], on, when])).map(([, of]) => {
    const [{ action, on, when } = { action: '', on: '', when: '' }] = of;
    const [service, first] = action.split(':');
    const actions = [first, ...of.slice(1).map(({ action: other }) => other.split(':')[1])].join(' ');
    return `  ${service}:${actions} | ${on}${when === '' ? '' : ` | if ${when.replace(TLS, 'over TLS 1.2')}`}`;
  });
}

/** In the order of their keys. */
function groups<T>(rows: readonly T[], keyOf: (row: T) => string): [string, T[]][] {
  const found = new Map<string, T[]>();
  for (const row of rows) found.set(keyOf(row), [...(found.get(keyOf(row)) ?? []), row]);
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1));
}
