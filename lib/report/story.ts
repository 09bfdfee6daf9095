/** What happened, in sentences that need no engineer: one a stage, and only for stages that are on record. */

import { span } from '../domain/base/time';
import { inWords } from '../domain/cases/case';
import { cite, citing } from './cite';
import { type CaseFacts, endsAKey, type ItemFacts } from './facts';
import { text, texts, whole } from './fields';
import { type Html, html } from './html';
import { lastOfCase, openAtContained, wavesOf } from './milestones';
import { instant } from './time';
import { isAccepted } from './verdict';

type Tell = (facts: CaseFacts) => Html | undefined;

const ACTS_IN_WORDS: Readonly<Record<string, string>> = {
  end: 'that a worker leaves',
  suspend: 'that a worker is suspended',
  custody: 'that a worker moves to another post',
};

const WENT_ON: Readonly<Record<string, string>> = {
  'go-on': 'because two people decided so',
  sources: 'because the sources agreed again',
  'give-back': 'no further: two people gave the departure back',
  'not-decided': 'no further: the deployment named nobody who could decide, for 30 days',
};

const SENTENCES: readonly Tell[] = [
  ({ stages: { 'case.opened': opened } }) => {
    if (opened === undefined) return undefined;
    const { body, at } = opened.record;
    if (text(body, 'kind') === 'taint')
      return html`At ${instant(at)}, a responder asked to end the key <code>${text(body, 'kid') ?? 'unnamed'}</code> of ${text(body, 'ring') ?? 'an unnamed ring'}: “${text(body, 'reason') ?? 'no reason on record'}” (${cite(opened)}). CloudTrail records who asked; this evidence does not.`;
    const accepting = text(body, 'provesAgain');
    if (accepting !== undefined)
      return html`This case follows up the case ${accepting}: two people had accepted items that nobody could act on, until this date; they are tried and proved again (${cite(opened)}).`;
    const firstCase = text(body, 'followUpOf');
    if (firstCase !== undefined && body.isLate === true)
      return html`This case follows up the case ${firstCase}: after that was closed, an import named more that this person had custody of, and it is ended here (${cite(opened)}).`;
    if (firstCase !== undefined)
      return html`This case follows up the case ${firstCase}: sessions that were open when that person was contained have expired, so the signing keys they could reach are replaced once more (${cite(opened)}).`;
    const hrEventAt = whole(body, 'hrEventAt') ?? at;
    return html`At ${instant(hrEventAt)}, the HR system “${text(body, 'source') ?? 'unnamed'}” reported ${ACTS_IN_WORDS[text(body, 'act') ?? ''] ?? 'a change'}; Curfew opened this case ${span(Math.max(0, at - hrEventAt))} later (${cite(opened)}).`;
  },
  (facts) => {
    const { stages, items, origin } = facts;
    const { 'case.listed': listed, 'case.contained': contained } = stages;
    if (listed === undefined) return undefined;
    const ofList = items.filter(({ frozen }) => frozen === listed);
    if (ofList.length === 0) return html`There was no access of this person to contain (${cite(listed)}).`;
    const listing = html`Before anything was touched, the list of what to shut was frozen: ${enumerate(countKinds(ofList))} (${cite(listed)}).`;
    if (contained === undefined) return html`${listing} Not all of it is shut yet.`;
    const open = openAtContained(facts).length;
    if (open > 0)
      return html`${listing} By ${instant(contained.record.at, origin)}, all but ${open} of ${citing(contained, ofList.length)} were shut; ${stages['case.accepted'] === undefined ? 'what stayed open keeps the case open' : 'some of what stayed open nobody could act on'}.`;
    return html`${listing} By ${instant(contained.record.at, origin)}, all ${citing(contained, ofList.length)} were shut.`;
  },
  ({ stages: { 'case.asked': asked } }) =>
    asked &&
    html`Something spoke against it: ${inWords(texts(asked.record.body, 'reasons'))}. From then on nothing was begun that cannot be undone (${cite(asked)}).`,
  ({ stages: { 'case.went-on': wentOn } }) =>
    wentOn &&
    html`The case went on ${WENT_ON[text(wentOn.record.body, 'by') ?? ''] ?? 'for a reason that is not on record'} (${cite(wentOn)}).`,
  (facts) => {
    const { items, origin } = facts;
    const { 'case.planned': planned, 'case.inventory': inventory } = facts.stages;
    if (planned === undefined) return undefined;
    const keys = items.filter(({ frozen, kind }) => frozen === planned && kind === 'taint').length;
    return html`At ${instant(planned.record.at, origin)}, the plan was frozen (${cite(planned)}) from ${endsAKey(facts) ? 'the state of that key' : 'what was on record of this person’s custody'} (${cite(inventory)}): ${keys === 0 ? 'no signing key had to go' : `${keys} signing ${keys === 1 ? 'key' : 'keys'} had to go`}.`;
  },
  ({ plans, origin }) => {
    const later = plans.slice(1).flatMap(({ planned }) => planned ?? []);
    const [first] = later;
    if (first === undefined) return undefined;
    const links = later.map((one, i) => html`${i > 0 ? ', ' : ''}${cite(one)}`);
    return html`From ${instant(first.record.at, origin)} on, what an import named only then was planned too (${links}).`;
  },
  (facts) => {
    const tainted = lastOfCase(facts, 'key.tainted');
    if (tainted === undefined) return undefined;
    const classes = facts.items.flatMap(({ kind, item }) => (kind === 'taint' ? (text(item, 'class') ?? []) : []));
    const compromised = classes.includes('compromise');
    const planned = classes.includes('planned');
    return html`At ${instant(tainted.record.at, facts.origin)}, ${compromised ? 'the key that could have been copied was distrusted: from then on only tokens that are on record as issued counted' : ''}${compromised && planned ? ', and ' : ''}${planned ? 'the key they could reach was replaced by another' : ''}${!compromised && !planned ? 'the keys were distrusted' : ''} (${cite(tainted)}).`;
  },
  (facts) => {
    const waves = wavesOf(facts);
    if (waves.length === 0) return undefined;
    const sum = (member: string) => waves.reduce((total, { record }) => total + (whole(record.body, member) ?? 0), 0);
    const [source, done] = [sum('source'), sum('done')];
    const links = waves.map((wave, i) => html`${i > 0 ? ', ' : ''}${cite(wave)}`);
    return html`So that everybody else could go on, their tokens were signed again under another key with unchanged content: of ${source} tokens on record under the old keys, ${done} got a new signature, and ${source - done} were left out for a reason that is on record (${links}).`;
  },
  (facts) => {
    const denied = lastOfCase(facts, 'key.denied');
    return (
      denied &&
      html`At ${instant(denied.record.at, facts.origin)}, the old keys were refused for good: no token they signed counts any more, whoever holds it (${cite(denied)}).`
    );
  },
  ({ items, stages: { 'case.closed': closed, 'case.followed-up': followedUp }, origin }) => {
    if (closed === undefined) return undefined;
    const proved = items.filter(({ proved }) => proved).length;
    const dueAt = whole(followedUp?.record.body, 'dueAt');
    const again =
      dueAt === undefined
        ? ''
        : html` One thing is left to do: at ${instant(dueAt)} the signing key is replaced once more (${cite(followedUp)}).`;
    const accepted = items.filter(isAccepted).length;
    if (accepted > 0)
      return html`<a href="#items">${proved} of ${items.length}</a> items were seen from outside as they should be. The other ${accepted} are not proved: two people accepted that they are open, until a linked case proves them again; the case was closed with these exceptions at ${instant(closed.record.at, origin)} (${cite(closed)}).${again}`;
    return html`Each item was then looked at again from outside, and <a href="#items">${proved} of ${items.length}</a> were seen as they should be; the case was closed at ${instant(closed.record.at, origin)} (${cite(closed)}).${again}`;
  },
];

export function story(facts: CaseFacts): Html {
  const sentences = SENTENCES.flatMap((tell) => tell(facts) ?? []);
  if (sentences.length === 0) return html`<p>No record of this case can be read.</p>`;
  const list = html`<ol class="story">${sentences.map(
    (sentence) => html`<li>${sentence}</li>
`,
  )}</ol>`;
  if (endsAKey(facts)) return list;
  const pseudonym = text(facts.stages['case.opened']?.record.body, 'pseudonym');
  return html`${list}
<p class="aside">The person is known here only as <code>${pseudonym ?? 'unnamed'}</code>. Names and account names stand in the records encrypted, under a key of that person’s own.</p>`;
}

const COUNTED: Readonly<Record<string, readonly [one: string, many: string]>> = {
  'cut-off': ['identity in tokens', 'identities in tokens'],
  latch: ['AWS user', 'AWS users'],
  'access-key': ['AWS access key', 'AWS access keys'],
  'personal-key': ['encryption key of their own', 'encryption keys of their own'],
  unplannable: ['thing that nobody could act on', 'things that nobody could act on'],
};

function countKinds(items: readonly ItemFacts[]): readonly string[] {
  return [...new Set(items.map(({ kind }) => kind))].map((kind) => {
    const n = items.filter((item) => item.kind === kind).length;
    const [one, many] = COUNTED[kind] ?? [kind, kind];
    return `${n} ${n === 1 ? one : many}`;
  });
}

function enumerate(all: readonly string[]): string {
  return all.length < 2 ? (all[0] ?? '') : `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`;
}
