/** The departure on a line that is true to scale, and as a list that says the same in words. */

import { span } from '../domain/base/time';
import { anchorOf, cite } from './cite';
import { type CaseFacts, endsAKey } from './facts';
import { type Html, html, NOTHING } from './html';
import { type Milestone, milestonesOf } from './milestones';
import { instant } from './time';

/** Shares of the width in percent, so that the drawing fits a phone and a page with its text at one size. */
const LEFT = 3;
const RIGHT = 97;
/** Markers are 20 px wide; on 328 px this keeps them apart. */
const GAP = 7;
const AXIS_Y = 58;
const MARKER_Y = 16;

export function timeline(facts: CaseFacts): Html {
  const milestones = milestonesOf(facts);
  const [first, ...rest] = milestones;
  const end = rest.at(-1);
  if (first === undefined || end === undefined) return html`<p>No record tells when anything happened.</p>`;

  const whole = end.at - first.at;
  const places = milestones.map(({ at }) => LEFT + (RIGHT - LEFT) * (whole === 0 ? 0 : (at - first.at) / whole));
  const markers = spread(places);
  return html`<figure>
<svg class="timeline" width="100%" height="84" role="img" aria-label="Time line, to scale: ${milestones.length} instants within ${span(whole)}, listed below">
<line class="axis" x1="${LEFT}%" y1="${AXIS_Y}" x2="${RIGHT}%" y2="${AXIS_Y}" />
${milestones.map((milestone, i) => marker(milestone, i + 1, places[i] ?? LEFT, markers[i] ?? LEFT))}
<text class="scale" x="${LEFT}%" y="80">0 s</text>
<text class="scale" x="${RIGHT}%" y="80" text-anchor="end">${span(whole)}</text>
</svg>
<figcaption>To scale, from ${endsAKey(facts) ? 'the opening' : 'HR’s report'} to the last instant on record. Records keep whole seconds.</figcaption>
</figure>
<ol class="milestones">${milestones.map((milestone, i) => entry(milestone, milestones[i - 1], first.at))}</ol>`;
}

function marker({ record }: Milestone, n: number, place: number, x: number): Html {
  return html`<line class="lead" x1="${percent(x)}" y1="${MARKER_Y}" x2="${percent(place)}" y2="${AXIS_Y}" />
<circle class="tick" cx="${percent(place)}" cy="${AXIS_Y}" r="3" />
<a href="#${anchorOf(record)}"><circle class="marker" cx="${percent(x)}" cy="${MARKER_Y}" r="10" /><text class="number" x="${percent(x)}" y="${MARKER_Y + 4}" text-anchor="middle">${n}</text></a>
`;
}

function entry({ name, at, record }: Milestone, before: Milestone | undefined, origin: number): Html {
  const waited = before === undefined ? NOTHING : html` <span class="step">${span(at - before.at)} later</span>`;
  return html`<li><span class="what">${name}</span>${waited}<span class="when">${instant(at, origin)} ${cite(record)}</span></li>
`;
}

/** Pushes markers apart, right first and then back from the right edge, and leaves the ticks where they belong. */
export function spread(places: readonly number[]): readonly number[] {
  const pushed: number[] = [];
  for (const place of places) pushed.push(Math.max(place, (pushed.at(-1) ?? Number.NEGATIVE_INFINITY) + GAP));
  let limit = RIGHT;
  return pushed
    .reverse()
    .map((place) => {
      const kept = Math.min(place, limit);
      limit = kept - GAP;
      return kept;
    })
    .reverse();
}

export function percent(share: number): string {
  return `${Math.round(share * 100) / 100}%`;
}
