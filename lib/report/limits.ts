/** What this evidence does not prove, and until when. It stands on every page, whatever the verdict. */

import type { IndexedRecord, Verdict } from '../domain/audit/bundle';
import { span } from '../domain/base/time';
import { plain } from './checks';
import { cite } from './cite';
import { type CaseFacts, endsAKey } from './facts';
import { type Members, object, objects, text, whole } from './fields';
import { type Html, html, NOTHING } from './html';
import { ofCase, wavesOf } from './milestones';
import type { Summary } from './summary';
import { instant } from './time';
import type { Outcome } from './verdict';
import { capital } from './words';

export function limits(verdict: Verdict, facts: CaseFacts, summary: Summary | undefined, outcome: Outcome): Html {
  const all = [
    followUp(facts),
    rechecks(facts),
    custody(facts),
    corroboration(facts),
    ...stockCaches(facts),
    ...exemptions(facts),
    ...verdict.notes.flatMap((note) => whose(note, verdict)),
  ];
  return html`<ul class="limits">${all.flatMap((limit) =>
    limit === undefined
      ? []
      : html`<li>${limit}</li>
`,
  )}${summary?.notProvedHere.map(
    (one) => html`<li>${capital(plain(one))} <span class="aside">(told by the run)</span></li>
`,
  )}</ul>
${outcome === 'unverified' ? NOTHING : notReached(verdict, facts)}
${summary === undefined ? NOTHING : rehearsal(summary)}`;
}

function followUp({ stages: { 'case.followed-up': record } }: CaseFacts): Html | undefined {
  const dueAt = whole(record?.record.body, 'dueAt');
  if (record === undefined || dueAt === undefined) return undefined;
  return html`<strong>Until ${instant(dueAt)}:</strong> a session that was open when the person was contained could still reach the new signing key. A linked case, <code>${text(record.record.body, 'followUp') ?? 'unnamed'}</code>, replaces that key once more when all such sessions have expired (${cite(record)}).`;
}

/** A look says how it was then: between two of them something may have been open. */
function rechecks(facts: CaseFacts): Html | undefined {
  const contained = facts.stages['case.contained'];
  const until = whole(contained?.record.body, 'recheckUntil');
  if (contained === undefined || until === undefined) return undefined;
  const last = ofCase(facts, 'case.rechecked').at(-1);
  if (last === undefined)
    return html`<strong>Until ${instant(until)}:</strong> what was shut is looked at again, at least every hour, and shut again if it is open. This page does not tell how those looks ended (${cite(contained)}).`;
  const { body } = last.record;
  const [times = 0, gap = 0, found = 0] = ['times', 'longestGap', 'foundOpen'].map((name) => whole(body, name));
  const unseen = Array.isArray(body.unseen) ? body.unseen.length : 0;
  return html`What was shut was looked at again ${times} times until ${instant(until)}, at most ${span(gap)} apart; ${found === 0 ? 'nothing was open' : `something was open ${found} times, and was shut again`}${unseen === 0 ? '' : `; of ${unseen} items the last look could not tell`} (${cite(last)}). What was open between two looks, nobody saw.`;
}

function custody(facts: CaseFacts): Html | undefined {
  if (endsAKey(facts)) return undefined;
  const from = facts.stages['case.inventory'];
  const [principals, exposures] = ['principals', 'exposures'].map((name) =>
    facts.plans.reduce((sum, { inventory }) => sum + objects(inventory?.record.body, name).length, 0),
  );
  return html`The list of what this person could use is as good as what was on record about them: ${principals} identities and ${exposures} cases of custody${from && html` (${cite(from)})`}. What nobody recorded is not covered by this page.`;
}

function corroboration({ stages: { 'case.opened': opened } }: CaseFacts): Html | undefined {
  if (opened === undefined || text(opened.record.body, 'corroboration') !== 'signed-fact') return undefined;
  return html`HR’s message was believed for its signature alone: it was not looked up in the HR system a second time. That is a choice of this deployment (${cite(opened)}).`;
}

/** One sentence a ring: how long a service with a stock library may go on with keys it has fetched before. */
function stockCaches(facts: CaseFacts): readonly Html[] {
  const removed = ofCase(facts, 'key.denied');
  return settingsOf(facts).flatMap((record) => {
    const { ring, body } = record.record;
    const cacheSeconds = whole(body, 'cacheSeconds');
    const at = removed.filter(({ record: denied }) => denied.ring === ring).at(-1)?.record.at;
    if (cacheSeconds === undefined || at === undefined) return [];
    return html`<strong>Until ${instant(at + cacheSeconds)}:</strong> services that check tokens of ${ring} with a stock library may go on with key lists they fetched before, for up to ${span(cacheSeconds)} as they declared (${cite(record)}). ${unbounded(body)} A service with Curfew’s own verifier follows the signed list of key states instead.`;
  });
}

/** Those that said of themselves that they never ask again are named: no wait covers them. */
function unbounded(body: Members): Html {
  const names = objects(body, 'verifiers')
    .filter((verifier) => text(verifier, 'cacheSeconds') === 'unbounded')
    .map((verifier) => text(verifier, 'name') ?? 'unnamed');
  if (names.length === 0) return html`A library without any such limit goes on until it is restarted.`;
  return html`<strong>${names.join(', ')}</strong> declared that ${names.length === 1 ? 'it has' : 'they have'} no such limit: restart ${names.length === 1 ? 'it' : 'them'}, or what was signed with the removed key is accepted there.`;
}

/** What the deployment was let off, by whom and until when. */
function exemptions(facts: CaseFacts): readonly Html[] {
  return settingsOf(facts).flatMap((record) =>
    objects(record.record.body, 'exemptions').map(
      (one) =>
        html`<strong>Until ${text(one, 'until') ?? 'an unnamed day'}:</strong> ${text(one, 'subject') ?? 'something'} is exempt from the rule <code>${text(one, 'rule') ?? ''}</code>: “${text(one, 'reason') ?? ''}”, approved under ${text(one, 'approver') ?? 'no name'} (${cite(record)}).`,
    ),
  );
}

/** Of each ring, how it was set up last. */
function settingsOf({ rings }: CaseFacts): readonly IndexedRecord[] {
  const settings = rings.filter(({ record: { type } }) => type === 'ring.created' || type === 'ring.updated');
  return [...new Map(settings.map((one) => [one.record.ring, one])).values()];
}

/** The notes of the verdict; the two that every reader should understand, in plain words. */
function whose(note: string, { keyFrom }: Verdict): Html {
  if (keyFrom === 'bundle' && note.startsWith('key taken from the bundle'))
    return html`Who made this evidence. The key that vouches for it came with it: until somebody compares that key with one they were given by another way, all of this could have been made by anyone.`;
  if (note.startsWith('not independent of the operator'))
    return html`That the operator shows everybody the same log. Until an outside witness signs its states too, an operator could keep a second one for other readers (${note}).`;
  return html`${capital(note)}.`;
}

/** The other side of the same honesty: what was asked and found untouched, with the record that says so. */
function notReached(verdict: Verdict, facts: CaseFacts): Html {
  const all = [reserves(facts), carriedOver(verdict, facts)].filter((one) => one !== undefined);
  return all.length === 0
    ? NOTHING
    : html`<h3>What was not reached</h3>
<ul class="limits">${all.map(
        (one) => html`<li>${one}</li>
`,
      )}</ul>`;
}

function reserves({ items }: CaseFacts): Html | undefined {
  const asked = items.filter(({ observed }) => standbysOf(observed).length > 0);
  const answers = asked.flatMap(({ observed }) => standbysOf(observed));
  if (answers.length === 0 || answers.some(({ signed }) => signed !== false)) return undefined;
  const keys = new Set(answers.map((answer) => text(answer, 'kid'))).size;
  return html`The ${keys} signing ${keys === 1 ? 'key' : 'keys'} in reserve: the prover asked each of them to sign, and KMS refused (${listed(asked.map(({ observed }) => cite(observed)))}).`;
}

function standbysOf(observed: IndexedRecord | undefined) {
  return objects(object(observed?.record.body, 'observed'), 'standbys');
}

function carriedOver({ checks }: Verdict, facts: CaseFacts): Html | undefined {
  const waves = wavesOf(facts);
  if (waves.length === 0 || !checks.some(({ id, ok }) => id === 'waves' && ok)) return undefined;
  const done = waves.reduce((total, { record }) => total + (whole(record.body, 'done') ?? 0), 0);
  return html`The new key, by forged tokens: each of the ${done} tokens that were signed again had been committed to the log under its old key before, and what never was has no new signature (${listed(waves.map(cite))}).`;
}

function listed(links: readonly (Html | undefined)[]): Html {
  return html`${links.map((link, i) => html`${i > 0 ? ', ' : ''}${link}`)}`;
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
