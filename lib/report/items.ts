/** The items of the case: what each was, what was done, and what was observed before and after it, as a pair. */
import { cite } from './cite';
import type { CaseFacts, ItemFacts } from './facts';
import { type Html, html } from './html';
import { mark } from './mark';
import { isAccepted, type Outcome, untilOf } from './verdict';
import { describeItem } from './words';

export function items(facts: CaseFacts, outcome: Outcome): Html {
  if (facts.items.length === 0) return html`<p>No item is on record.</p>`;
  const accepted = facts.items.filter(isAccepted).length;
  return html`<table class="cards">
<caption>${facts.items.length} items${accepted === 0 ? '' : `, ${accepted} of them accepted and not proved`}, in the order in which they were frozen</caption>
<thead><tr><th scope="col">What it was</th><th scope="col">What was done</th><th scope="col">Observed before and after</th><th scope="col">Proof</th></tr></thead>
<tbody>${facts.items.map((item) => row(item, facts, outcome))}</tbody></table>`;
}

function row(item: ItemFacts, facts: CaseFacts, outcome: Outcome): Html {
  const { was, done, before, after } = describeItem(item, facts);
  return html`<tr><th scope="row" data-label="What it was"><span class="nn">${item.nn}</span> ${was}</th>
<td data-label="What was done">${done}${item.done && html` (${cite(item.done)})`}</td>
<td data-label="Observed before and after"><dl class="pair"><dt>before</dt><dd>${before}${item.before && html` (${cite(item.before)})`}</dd><dt>after</dt><dd>${after}</dd></dl></td>
<td data-label="Proof">${proofMark(item, outcome)}${item.observed && html` ${cite(item.observed)}`}</td></tr>
`;
}

/** Where nothing vouches for the records, no line of the table looks as if something did. */
function proofMark(item: ItemFacts, outcome: Outcome): Html {
  if (outcome === 'unverified') return mark('bad', 'Not verified');
  if (isAccepted(item)) return html`${mark('open', `Accepted ${untilOf(item.accepted)}`)} ${cite(item.accepted)}`;
  return item.proved ? mark('good', 'Proved') : mark('open', 'Not proved');
}
