/** How a reader checks all this without us: the commands, the checkpoint, and what the offline check found. */
import type { Verdict } from '../domain/audit/bundle';
import { type Html, html, NOTHING } from './html';
import { mark } from './mark';

export interface BundleTexts {
  /** The signed note as it stands in the bundle. */
  readonly checkpoint?: string;
  readonly verifierKey?: string;
}

export function recheck({ checkpoint, checks, keyFrom }: Verdict, texts: BundleTexts): Html {
  return html`<p>The evidence is a folder of plain files. Checking it needs no access to the company’s systems, no network and no trust in whoever runs them. Ask the company for the log’s verifier key by another way than this page, then:</p>
<pre><code>curfew evidence verify DIR --vkey '${texts.verifierKey?.trim() ?? 'KEY'}'</code></pre>
<p>DIR is the folder of the bundle. The exit code is 0 only if every check holds. ${keyFrom === 'bundle' ? 'The key shown here was taken from the bundle itself: compare it before you rely on it.' : 'The key shown here was given to the maker of this page, not taken from the bundle.'}</p>
<table class="plain">
<caption>What the offline check found when this page was made</caption>
<thead><tr><th scope="col">Check</th><th scope="col">Result</th></tr></thead>
<tbody>${checks.map(
    ({
      ok,
      claim,
      code,
      detail,
    }) => html`<tr><th scope="row">${claim}</th><td>${ok ? mark('good', 'Holds') : mark('bad', 'Does not hold')}${ok ? NOTHING : html` <span class="detail">${code ?? ''}: ${detail ?? ''}</span>`}</td></tr>
`,
  )}</tbody></table>
${
  checkpoint === undefined
    ? NOTHING
    : html`<p>The log <code>${checkpoint.origin}</code> held <strong>${checkpoint.size}</strong> records, and its root was <code>${checkpoint.root.toString('base64')}</code>. Keep the text below: a later state of the log must extend it, and <code>curfew evidence verify</code> can show that it does.</p>`
}
${texts.checkpoint === undefined ? NOTHING : html`<pre class="note"><code>${texts.checkpoint}</code></pre>`}`;
}
