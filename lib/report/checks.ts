/** What the run observed from outside, beside the evidence: refusals stand beside what was accepted before, as pairs. */
import { type Html, html, NOTHING } from './html';
import { mark } from './mark';
import type { ObservedCheck, Summary } from './summary';
import { formatSince, instant } from './time';

export function checks(summary: Summary | undefined): Html {
  if (summary === undefined)
    return html`<p>No observations beside the evidence were given to this page. What the product itself observed of each item stands in the table above.</p>`;
  const good = summary.checks.filter(({ ok }) => ok).length;
  return html`<p>The run that made this evidence (engine: ${summary.engine}) also tried things out for itself, before and after. ${good} of ${summary.checks.length} observations were as expected. They are told by the run and are not records of the log; what the log proves stands above.</p>
${summary.checks.length === 0 ? NOTHING : table(summary.checks)}
${summary.timings.length === 0 ? NOTHING : timings(summary)}`;
}

function table(all: readonly ObservedCheck[]): Html {
  return html`<table class="cards">
<caption>Observed from outside</caption>
<thead><tr><th scope="col">Claim</th><th scope="col">Expected</th><th scope="col">Observed</th><th scope="col">Result</th></tr></thead>
${groupPairs(all).map(
  (group) => html`<tbody>${group.map(
    ({
      id,
      claim,
      expected,
      observed,
      ok,
    }) => html`<tr><th scope="row" data-label="Claim">${claim} <code>${id}</code></th><td data-label="Expected">${plain(expected)}</td><td data-label="Observed">${plain(observed)}</td><td data-label="Result">${ok ? mark('good', 'As expected') : mark('bad', 'Not so')}</td></tr>
`,
  )}</tbody>
`,
)}</table>`;
}

/** `leaver-token-accepted-before` and `leaver-token-refused-after` are one story: same subject, told before and after. */
export function groupPairs(all: readonly ObservedCheck[]): readonly (readonly ObservedCheck[])[] {
  const stemOf = ({ id }: ObservedCheck) => /^(.+)-(?:worked|accepted|refused)-(?:before|while|after)/s.exec(id)?.[1];
  const groups = new Map<string, ObservedCheck[]>();
  for (const check of all) {
    const stem = stemOf(check) ?? check.id;
    const group = groups.get(stem);
    if (group) group.push(check);
    else groups.set(stem, [check]);
  }
  return [...groups.values()];
}

function timings({ timings: all }: Summary): Html {
  const origin = all.find(({ name }) => name === 'hrEventAt')?.at;
  return html`<table class="plain">
<caption>Times as the run measured them</caption>
<thead><tr><th scope="col">What</th><th scope="col">When</th><th scope="col">After HR’s report</th></tr></thead>
<tbody>${all.map(
    ({
      name,
      at,
    }) => html`<tr><th scope="row"><code>${name}</code></th><td>${instant(at)}</td><td>${origin === undefined ? '' : formatSince(at, origin)}</td></tr>
`,
  )}</tbody></table>`;
}

/** Whatever a run wrote: text as it is, members by name. */
export function plain(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === null || typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return value.map(plain).join(', ');
  return Object.entries(value)
    .map(([name, member]) => `${name}: ${plain(member)}`)
    .join('; ');
}
