/** The signing keys: one lane a key with its states over the time of the case, and what became of the tokens they signed. */

import { instant as iso } from '../domain/base/time';
import { cite, citing } from './cite';
import { type CaseFacts, endsAKey } from './facts';
import { object, text, whole } from './fields';
import { type Html, html, NOTHING } from './html';
import { type KeyLife, keyLives, type Span } from './key-lives';
import { milestonesOf, wavesOf } from './milestones';
import { formatSince } from './time';
import { percent } from './timeline';
import { shortKid } from './words';

/** Of the width of the case, what is shown before and after it. */
const MARGIN = 0.12;
/** A state's name needs about a fifth of a phone's width; a narrower span is named in the line below. */
const LABEL_MIN = 20;

const SAYS: Readonly<Record<string, string>> = {
  STANDBY: 'in reserve, switched off',
  ACTIVE: 'signs new tokens',
  VERIFY_ONLY: 'signs no more, its tokens count',
  OBSERVED: 'of the issuer before, its tokens count',
  SUSPECT: 'only tokens on record count',
  DENIED: 'no token counts',
  RETIRED: 'over',
};

export function keys(facts: CaseFacts): Html {
  const milestones = milestonesOf(facts);
  const [first, end] = [milestones[0]?.at, milestones.at(-1)?.at];
  const lives = keyLives(facts);
  if (first === undefined || end === undefined || lives.length === 0)
    return html`<p>This case touches no signing key.</p>`;

  const margin = Math.max(1, (end - first) * MARGIN);
  const scale: Scale = { from: first - margin, to: end + margin, origin: first, end };
  const shown = lives.filter(({ spans }) => !isOver(spans, scale.from));
  const states = [...new Set(shown.flatMap(({ spans }) => within(spans, scale).map(({ span }) => span.state)))];
  return html`<figure class="lanes">
${shown.map((life) => lane(life, shown.filter(({ kind }) => kind === 'kms').indexOf(life) + 1, scale))}
<svg class="scale-line" width="100%" height="18" role="presentation"><text class="scale" x="${percent(placeOf(first, scale))}" y="12">0 s</text><text class="scale" x="${percent(placeOf(end, scale))}" y="12" text-anchor="end">${formatSince(end, first)}</text></svg>
<figcaption>From shortly before ${endsAKey(facts) ? 'the opening' : 'HR’s report'} (0 s) to shortly after the last instant on record, to scale; the small strokes mark these two. ${states.map((state) => html`<b>${state}</b> ${SAYS[state] ?? ''}. `)}</figcaption>
</figure>
${waves(facts)}`;
}

interface Scale {
  readonly from: number;
  readonly to: number;
  readonly origin: number;
  readonly end: number;
}

function lane(life: KeyLife, n: number, scale: Scale): Html {
  const { ring, kid, kind } = life;
  const parts = within(life.spans, scale);
  const said = parts.map(({ span }) => `${span.state} from ${iso(span.from)}`).join(', ');
  return html`<div class="lane">
<h3>${kind === 'legacy' ? 'The old issuer’s key' : `Key ${n}`} <span class="kid">${ring} · ${shortKid(kid)}</span></h3>
<svg width="100%" height="26" role="img" aria-label="${said}">
${[scale.origin, scale.end].map((at) => tick(placeOf(at, scale)))}
${parts.map(({ span, x, width }) => bar(span, x, width))}
</svg>
<p class="spans">${parts.map(({ span }, i) => html`${i > 0 ? ' → ' : ''}<b>${span.state}</b> ${span.from < scale.from ? 'before' : formatSince(span.from, scale.origin)} (${cite(span.record)})`)}</p>
</div>
`;
}

/** Drawn under the bars and seen above and below them, so that it crosses no name. */
function tick(place: number): Html {
  return html`<line class="mark" x1="${percent(place)}" y1="-3" x2="${percent(place)}" y2="29" />
`;
}

function bar({ state }: Span, x: number, width: number): Html {
  const label =
    width < LABEL_MIN
      ? NOTHING
      : html`<text class="on-${state.toLowerCase()}" x="${percent(x + 1.5)}" y="17">${state}</text>`;
  return html`<rect class="state ${state.toLowerCase()}" x="${percent(x)}" y="3" width="${percent(width)}" height="20" />${label}
`;
}

/** The spans that reach into the time shown, cut to it. */
function within(spans: readonly Span[], scale: Scale) {
  return spans.flatMap((span, i) => {
    const until = spans[i + 1]?.from ?? scale.to;
    const [from, to] = [Math.max(span.from, scale.from), Math.min(until, scale.to)];
    return to > from ? [{ span, x: placeOf(from, scale), width: placeOf(to, scale) - placeOf(from, scale) }] : [];
  });
}

function isOver(spans: readonly Span[], from: number): boolean {
  const last = spans.at(-1);
  return last !== undefined && ['RETIRED', 'DENIED'].includes(last.state) && last.from < from;
}

function placeOf(at: number, { from, to }: Scale): number {
  return (100 * (at - from)) / (to - from);
}

const EXCLUSIONS: Readonly<Record<string, string>> = {
  expired: 'expired or about to',
  uncommitted: 'never committed to the log',
  'issued-after-taint': 'issued after the key was distrusted',
  'cut-off': 'of someone who was cut off',
  poison: 'not the bytes that were recorded',
};

/** A record may name anything: only what is our own is put into our words. */
function sayExclusion(why: string): string {
  return Object.hasOwn(EXCLUSIONS, why) ? (EXCLUSIONS[why] ?? why) : why;
}

function waves(facts: CaseFacts): Html {
  const done = wavesOf(facts);
  if (done.length === 0) return html`<p>No tokens have been signed again.</p>`;
  return html`<table class="cards">
<caption>Tokens of everybody else, signed again with unchanged content</caption>
<thead><tr><th scope="col">Old key → new key</th><th scope="col">On record</th><th scope="col">Signed again</th><th scope="col">Left out, and why</th><th scope="col">Proof</th></tr></thead>
<tbody>${done.map((wave) => {
    const { body } = wave.record;
    const left = object(body, 'excluded') ?? {};
    const reasons = Object.keys(left).map((why) => `${whole(left, why) ?? 'not said:'} ${sayExclusion(why)}`);
    return html`<tr><th scope="row" data-label="Old key → new key">${shortKid(text(body, 'fromKid') ?? '')} → ${shortKid(text(body, 'toKid') ?? '')}</th>
<td data-label="On record">${citing(wave, whole(body, 'source') ?? 'not said')}</td>
<td data-label="Signed again">${citing(wave, whole(body, 'done') ?? 'not said')}</td>
<td data-label="Left out, and why">${reasons.join('; ') || 'none'}</td>
<td data-label="Proof">${cite(wave)}</td></tr>
`;
  })}</tbody></table>`;
}
