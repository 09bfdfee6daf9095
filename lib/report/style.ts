/** The style sheet: one serif for reading, quiet rules, three tones that each pass WCAG AA on either ground. */
import { html } from './html';

export const STYLE = html`
:root {
  color-scheme: light dark;
  --ground: #fbfaf7; --raised: #f3f0e9; --ink: #22262b; --soft: #5d625f; --rule: #d9d4c8; --link: #1f5673;
  --good: #1e6b4f; --open: #865200; --bad: #a1262b;
  --standby: #cfd3d0; --active: #1e6b4f; --observed: #526b7a; --suspect: #8f5c0d; --denied: #3a3f45; --on-dark: #ffffff; --on-light: #22262b;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #16181a; --raised: #1f2326; --ink: #e4e2dc; --soft: #a3a69f; --rule: #373c40; --link: #8fc1dd;
    --good: #74c9a3; --open: #e0ae55; --bad: #f0888b;
    --standby: #4a5054; --active: #74c9a3; --observed: #8ea9bb; --suspect: #d59b3f; --denied: #c9ccd0; --on-dark: #16181a; --on-light: #f2f0ea;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body {
  margin: 0 auto; padding: 3.5rem 1.25rem 6rem; max-width: 58rem;
  background: var(--ground); color: var(--ink);
  font: 1.0625rem/1.6 Charter, 'Bitstream Charter', 'Sitka Text', Cambria, Georgia, 'Liberation Serif', serif;
}
p, ul, ol, dl { margin: 0 0 1rem; max-width: 42rem; }
ul, ol { padding-left: 1.25rem; }
li { margin-bottom: .5rem; }
h1, h2, h3 { font-weight: 600; line-height: 1.2; text-wrap: balance; }
h1 { font-size: clamp(1.9rem, 5.5vw, 2.9rem); letter-spacing: -.015em; margin: .4rem 0 1.25rem; max-width: 44rem; }
h2 { font-size: 1.5rem; margin: 0 0 1.25rem; letter-spacing: -.005em; }
h3 { font-size: 1.0625rem; margin: 2rem 0 .5rem; }
a { color: var(--link); text-underline-offset: .18em; text-decoration-thickness: .06em; }
a:focus-visible { outline: 2px solid var(--link); outline-offset: 3px; border-radius: 2px; }
code, pre { font-family: ui-monospace, 'SF Mono', Menlo, Consolas, 'Liberation Mono', monospace; font-size: .82em; overflow-wrap: anywhere; }
pre { margin: 0 0 1rem; padding: .9rem 1rem; background: var(--raised); border-radius: 4px; white-space: pre-wrap; line-height: 1.5; }
pre code { font-size: .8rem; }
main > section { margin-top: 4.5rem; padding-top: 1.75rem; border-top: 1px solid var(--rule); }
.kicker, .since, .aside, .where, .step, .when, .spans, figcaption, caption, .kid, .type, .detail { color: var(--soft); }
.kicker, .cite, .since, .step, .when, .spans, figcaption, .where, .kid, .type, .scale, table, nav, .vouch, .milestones, .settings { font-family: system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif; }
.kicker { font-size: .9rem; margin: 0 0 2.5rem; max-width: none; }
.cite { font-size: .8em; white-space: nowrap; }
.since { font-size: .85em; white-space: nowrap; font-variant-numeric: tabular-nums; }
time { font-variant-numeric: tabular-nums; }
.aside { font-size: .94rem; }

.sign { width: 1.15em; height: 1.15em; vertical-align: -.2em; margin-right: .45em; }
.sign circle, .sign rect, .sign .solid { fill: currentColor; stroke: none; }
.sign path { fill: none; stroke: var(--ground); stroke-width: 2.6; stroke-linecap: round; stroke-linejoin: round; }
.mark-good { color: var(--good); } .mark-open { color: var(--open); } .mark-bad { color: var(--bad); }
.mark-good, .mark-open, .mark-bad { font-weight: 600; white-space: nowrap; }
.verdict { font-size: 1.35rem; margin: 0; }
.because { color: var(--ink); }
.doubt { font-size: .95rem; }

.vouch { margin: 2.5rem 0 0; padding: 1.5rem 1.5rem .75rem; background: var(--raised); border-radius: 6px; font-size: .94rem; line-height: 1.55; }
.vouch h2 { font-size: 1rem; margin: 0 0 .75rem; }
.vouch ul { padding-left: 1.1rem; max-width: 46rem; }
nav { margin-top: 1.25rem; padding-top: 1.1rem; border-top: 1px solid var(--rule); }
nav ul { list-style: none; padding: 0 !important; margin: 0; display: grid; grid-template-columns: repeat(auto-fit, minmax(min(18rem, 100%), 1fr)); gap: .2rem 2rem; }

.story { list-style: none; padding: 0; max-width: 40rem; }
.story li { margin-bottom: 1rem; }

figure { margin: 0 0 2rem; }
figcaption { font-size: .86rem; line-height: 1.5; max-width: 46rem; margin-top: .6rem; }
svg { display: block; overflow: visible; }
.sign { display: inline-block; }
.axis { stroke: var(--ink); stroke-width: 1.5; }
.lead { stroke: var(--soft); stroke-width: 1; }
.tick { fill: var(--ink); }
.marker { fill: var(--ground); stroke: var(--ink); stroke-width: 1.5; }
a:hover .marker { fill: var(--raised); }
.number { fill: var(--ink); font: 600 11px system-ui, 'Liberation Sans', sans-serif; }
.scale { fill: var(--soft); font-size: 12px; }
.milestones { padding: 0; list-style: none; counter-reset: milestone; max-width: none; font-size: .95rem; }
.milestones li { counter-increment: milestone; display: grid; grid-template-columns: 2.2rem minmax(14rem, 1fr) 8rem minmax(20rem, auto); gap: 0 1rem; margin: 0; padding: .55rem 0; border-top: 1px solid var(--rule); align-items: baseline; }
.milestones li:first-child { border-top: 0; }
.milestones li::before { content: counter(milestone); width: 1.55rem; height: 1.55rem; line-height: 1.45rem; border: 1.5px solid var(--ink); border-radius: 50%; text-align: center; font-size: .75rem; font-weight: 600; }
.what { grid-column: 2; } .step { grid-column: 3; font-size: .86rem; } .when { grid-column: 4; font-size: .88rem; }

table { width: 100%; border-collapse: collapse; margin: 0 0 2rem; font-size: .92rem; line-height: 1.5; }
caption { text-align: left; font-size: .88rem; padding-bottom: .6rem; }
th, td { text-align: left; vertical-align: top; padding: .8rem 1.1rem .8rem 0; border-top: 1px solid var(--rule); overflow-wrap: break-word; }
th { font-weight: 600; }
thead th { font-size: .82rem; color: var(--soft); border-top: 0; padding-top: 0; }
tbody th { font-weight: 500; }
.cards th:first-child { width: 30%; }
.cards tbody tr + tr.again > * { border-top-style: dotted; }
.cards td:last-child, .cards th:last-child { padding-right: 0; }
.plain th { font-weight: 400; }
.plain th:first-child { width: 56%; }
.nn { color: var(--soft); font-variant-numeric: tabular-nums; margin-right: .35em; }
.pair { display: grid; grid-template-columns: 3.2rem 1fr; gap: .15rem .6rem; margin: 0; }
.pair dt { color: var(--soft); font-size: .86em; }
.pair dd { margin: 0; }
tbody th code { color: var(--soft); display: block; margin-top: .15rem; }
.detail { display: block; margin-top: .3rem; }

.lane { margin-bottom: 1.4rem; }
.lane h3 { margin: 0 0 .3rem; font-size: 1rem; }
.kid, .type { font-weight: 400; font-size: .86rem; margin-left: .4rem; }
.spans { font-size: .84rem; margin: .25rem 0 0; max-width: none; }
.spans b { color: var(--ink); font-weight: 600; letter-spacing: .02em; }
figcaption b { color: var(--ink); }
.state { stroke: var(--ground); stroke-width: 1; }
.standby { fill: var(--standby); } .active { fill: var(--active); } .verify_only, .observed { fill: var(--observed); }
.suspect { fill: var(--suspect); } .denied { fill: var(--denied); } .retired { fill: none; stroke: var(--rule); }
.lane text { font: 600 11px system-ui, 'Liberation Sans', sans-serif; letter-spacing: .03em; fill: var(--on-dark); }
.lane .on-standby, .lane .on-retired { fill: var(--on-light); }
.mark { stroke: var(--ink); stroke-width: 1; }

.limits li { margin-bottom: .8rem; }
.settings { display: grid; grid-template-columns: minmax(10rem, auto) 1fr; gap: .2rem 1.5rem; font-size: .9rem; }
.settings dd { margin: 0; }
.record { margin-bottom: 2.25rem; scroll-margin-top: 1rem; }
.record h3 { margin: 0 0 .25rem; }
.record p { font-size: .92rem; margin-bottom: .5rem; }
.record pre { margin-bottom: .5rem; }
.record:target { outline: 2px solid var(--link); outline-offset: .75rem; border-radius: 4px; }
.where { overflow-wrap: anywhere; }

@media (max-width: 46rem) {
  body { padding-top: 2rem; }
  .kicker { margin-bottom: 1.5rem; }
  .vouch { padding: 1.1rem 1.1rem .4rem; }
  main > section { margin-top: 3rem; }
  .milestones li { grid-template-columns: 2.2rem 1fr; }
  .step, .when { grid-column: 2; }
  .cards thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .cards, .cards tbody, .cards tr, .cards th, .cards td, .cards caption { display: block; width: auto !important; }
  .cards tr { border-top: 1px solid var(--rule); padding: .9rem 0; }
  .cards th, .cards td { border: 0; padding: .2rem 0; }
  .cards tbody th { font-weight: 600; }
  .cards td::before { content: attr(data-label); display: block; color: var(--soft); font-size: .8rem; margin-top: .35rem; }
  .plain th:first-child { width: auto; }
  .settings { grid-template-columns: 1fr; }
  .settings dd { margin-bottom: .5rem; }
}
@media print {
  :root { --ground: #fff; --raised: #f4f4f2; --ink: #000; --soft: #444; --rule: #bbb; --link: #000; --good: #14513b; --open: #6b4100; --bad: #8a1d22; }
  body { max-width: none; padding: 0; font-size: 10.5pt; }
  main > section { margin-top: 2rem; }
  tr, .lane, .milestones li, .story li { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  rect, circle, .mark-good, .mark-open, .mark-bad, pre, .vouch { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
