/** What this evidence does not prove, and until when. It stands on every page, whatever the verdict. */
import type { Verdict } from '../evidence/bundle';
import { plain } from './checks';
import { cite } from './cite';
import type { CaseFacts } from './facts';
import { object, objects, text, whole } from './fields';
import { type Html, html, NOTHING } from './html';
import { inventorySizes } from './story';
import type { Summary } from './summary';
import { formatSpan, instant } from './time';

export function limits(verdict: Verdict, facts: CaseFacts, summary: Summary | undefined): Html {
  const all = [
    followUp(facts),
    custody(facts),
    corroboration(facts),
    ...stockCaches(facts),
    ...verdict.notes.map(note),
  ];
  return html`<ul class="limits">${all.flatMap((limit) =>
    limit === undefined
      ? []
      : html`<li>${limit}</li>
`,
  )}${summary?.notProvedHere.map(
    (one) => html`<li>${plain(one)} <span class="aside">(told by the run)</span></li>
`,
  )}</ul>
${notReached(facts)}
${summary === undefined ? NOTHING : rehearsal(summary)}`;
}

function followUp({ stages: { 'case.followed-up': record } }: CaseFacts): Html | undefined {
  const dueAt = whole(record?.record.body, 'dueAt');
  if (record === undefined || dueAt === undefined) return undefined;
  return html`<strong>Until ${instant(dueAt)}:</strong> a session that was open when the person was contained could still reach the new signing key. A linked case, <code>${text(record.record.body, 'followUp') ?? 'unnamed'}</code>, replaces that key once more when all such sessions have expired (${cite(record)}).`;
}

function custody(facts: CaseFacts): Html {
  const { principals, exposures } = inventorySizes(facts);
  const from = facts.stages['case.inventory'];
  return html`The list of what this person could use is as good as what was on record about them: ${principals} identities and ${exposures} cases of custody${from && html` (${cite(from)})`}. What nobody recorded is not covered by this page.`;
}

function corroboration({ stages: { 'case.opened': opened } }: CaseFacts): Html | undefined {
  if (opened === undefined || text(opened.record.body, 'corroboration') !== 'signed-fact') return undefined;
  return html`HR’s message was believed for its signature alone: it was not looked up in the HR system a second time. That is a choice of this deployment (${cite(opened)}).`;
}

/** One sentence a ring: how long a service with a stock library may go on with keys it has fetched before. */
function stockCaches({ rings, caseId }: CaseFacts): readonly Html[] {
  const settings = new Map(
    rings
      .filter(({ record: { type } }) => type === 'ring.created' || type === 'ring.updated')
      .map((one) => [one.record.ring, one]),
  );
  const removed = rings.filter(({ record }) => record.type === 'key.denied' && record.case === caseId);
  return [...settings].flatMap(([ring, record]) => {
    const cache = whole(record.record.body, 'cache');
    const at = removed.filter(({ record: denied }) => denied.ring === ring).at(-1)?.record.at;
    if (cache === undefined || at === undefined) return [];
    return html`<strong>Until ${instant(at + cache)}:</strong> services that check tokens of ${ring} with a stock library may go on with key lists they fetched before, for up to ${formatSpan(cache)} as they declared (${cite(record)}). A library without any such limit goes on until it is restarted. Services that use Curfew’s own verifier are not concerned.`;
  });
}

function note(said: string): Html {
  return html`${said.charAt(0).toUpperCase()}${said.slice(1)}.`;
}

/** The other side of the same honesty: what was asked and found untouched, with the record that says so. */
function notReached({ items }: CaseFacts): Html {
  const asked = items.flatMap(({ observed }) => {
    const standbys = objects(object(observed?.record.body, 'observed'), 'standbys');
    return observed === undefined || standbys.length === 0 || standbys.some(({ signed }) => signed !== false)
      ? []
      : html`<li>${standbys.length} signing keys in reserve could not be used in advance: each was asked to sign, and KMS refused (${cite(observed)}).</li>
`;
  });
  return asked.length === 0
    ? NOTHING
    : html`<h3>What was not reached</h3>
<ul class="limits">${asked}</ul>`;
}

function rehearsal({ engine, settings, patched }: Summary): Html {
  const changed = Object.entries(settings);
  return html`<h3>How this run differs from a deployment in production</h3>
<p>It was played on the engine “${engine}”. It shows what the software does; it is no proof about AWS.</p>
${
  changed.length === 0
    ? NOTHING
    : html`<dl class="settings">${changed.map(
        ([name, value]) => html`<dt><code>${name}</code></dt><dd>${plain(value)}</dd>
`,
      )}</dl>`
}
${patched.length === 0 ? NOTHING : html`<p>Set after the deployment, because this engine drops it: ${patched.map(plain).join('; ')}.</p>`}`;
}
