/**
 * The report: one HTML page over a bundle that was verified offline, for a reader who is no engineer.
 *
 * It loads nothing and runs nothing: the policy in its head lets only the style sheet in, by its digest. Every figure
 * leads to the record it comes from. The first sentence follows the verification and is never better than that.
 */

import type { Verdict } from '../domain/audit/bundle';
import { sha256 } from '../domain/base/encoding';
import { appendix } from './appendix';
import { checks } from './checks';
import { cite } from './cite';
import { type CaseFacts, endsAKey, factsOf } from './facts';
import { type Html, html, NOTHING } from './html';
import { items } from './items';
import { keys } from './keys';
import { limits } from './limits';
import { mark, type Tone } from './mark';
import { type BundleTexts, recheck } from './recheck';
import { story } from './story';
import { STYLE } from './style';
import type { Summary } from './summary';
import { timeline } from './timeline';
import { type Judgement, judge, type Outcome } from './verdict';

interface ReportInput extends BundleTexts {
  readonly verdict: Verdict;
  readonly summary?: Summary;
}

export interface Report {
  readonly outcome: Outcome;
  readonly page: string;
}

const TONES: Readonly<Record<Outcome, readonly [Tone, string]>> = {
  proved: ['good', 'Proved'],
  accepted: ['open', 'Closed with exceptions'],
  open: ['open', 'Open'],
  unverified: ['bad', 'Not verified'],
};

/** Where each of a regulator's four questions is answered. */
const QUESTIONS: readonly (readonly [id: string, question: string])[] = [
  ['timeline', 'When was it noticed and reported, and how fast was the answer?'],
  ['items', 'Which safeguards acted, and what did they do?'],
  ['keys', 'How were signing keys and tokens handled?'],
  ['limits', 'What access may be left?'],
];

export function formatReport({ verdict, summary, ...texts }: ReportInput): Report {
  const facts = factsOf(verdict.records, verdict.case);
  const judgement = judge(verdict, facts, summary);
  const { outcome } = judgement;
  const policy = `default-src 'none'; style-src 'sha256-${sha256(STYLE.markup).toString('base64')}'; base-uri 'none'; form-action 'none'`;
  const size = verdict.checkpoint?.size ?? 0;
  const parts: readonly Part[] = [
    { id: 'story', title: 'What happened', fromRecords: true, content: story(facts) },
    { id: 'timeline', title: 'When', fromRecords: true, content: timeline(facts) },
    { id: 'items', title: 'What was shut, and how we know', fromRecords: true, content: items(facts, outcome) },
    { id: 'keys', title: 'The signing keys', fromRecords: true, content: keys(facts) },
    { id: 'checks', title: 'What was observed from outside', content: checks(summary) },
    {
      id: 'limits',
      title: 'What is not proved here, and until when',
      content: limits(verdict, facts, summary, outcome),
    },
    { id: 'recheck', title: 'Check this yourself', content: recheck(verdict, texts) },
    { id: 'records', title: 'The records', fromRecords: true, content: appendix(verdict.records, facts, size) },
  ];
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<title>${TONES[outcome][1]}: ${endsAKey(facts) ? 'end of a key' : 'departure'} ${verdict.case ?? 'unknown'}</title>
<style>${STYLE}</style>
</head>
<body>
<header class="${outcome}">
<p class="kicker">Evidence of ${endsAKey(facts) ? 'the end of a key' : 'a departure'} · case <code>${verdict.case ?? 'unknown'}</code></p>
${headline(judgement, facts)}
${vouchers(verdict, summary)}
</header>
<main>
${parts.map((part) => section(part, judgement, verdict))}</main>
</body>
</html>
`;
  return { outcome, page: page.markup };
}

function headline({ outcome, sentence, because }: Judgement, facts: CaseFacts): Html {
  const [tone, word] = TONES[outcome];
  const closed = facts.stages['case.closed'];
  const again = facts.stages['case.followed-up'];
  return html`<p class="verdict">${mark(tone, word)}</p>
<h1>${sentence}.</h1>
${because.length > 0 ? html`<ul class="because">${because.map((one) => html`<li>${one}</li>`)}</ul>` : NOTHING}
${outcome === 'proved' ? html`<p>${facts.items.length === 1 ? html`The <a href="#items">one item</a> was observed after it was done` : html`All <a href="#items">${facts.items.length} items</a> were observed after they were done`} (closed in ${cite(closed)}). ${again === undefined ? '' : 'One follow-up is due by design. '}<a href="#limits">What is not proved here</a> stands below.</p>` : NOTHING}`;
}

function vouchers({ keyFrom, checkpoint, notes }: Verdict, summary: Summary | undefined): Html {
  const key =
    keyFrom === 'pinned'
      ? 'Signed with the log’s key that the maker of this page was given beforehand.'
      : 'The signing key of the log was taken from the evidence itself, so this page shows that the evidence agrees with itself, not who made it.';
  const alone = notes.some((note) => note.startsWith('not independent of the operator'));
  return html`<section class="vouch" aria-labelledby="vouch"><h2 id="vouch">Who vouches for this</h2>
<ul>
<li>${checkpoint === undefined ? 'No signed state of a log could be read.' : html`The log <code>${checkpoint.origin}</code>, in its state of <a href="#recheck">${checkpoint.size} records</a>. ${key}`}</li>
${alone ? html`<li><strong>Not independent of the operator:</strong> no outside witness has signed this state of the log.</li>` : NOTHING}
${summary === undefined ? NOTHING : html`<li>A run on the engine “${summary.engine}” added what it observed; that part is its word.</li>`}
</ul>
<nav aria-label="Four questions">
<ul>${QUESTIONS.map(([id, question]) => html`<li><a href="#${id}">${question}</a></li>`)}</ul>
</nav></section>`;
}

interface Part {
  readonly id: string;
  readonly title: string;
  /** It is told from the records, and worth what they are worth. */
  readonly fromRecords?: true;
  readonly content: Html;
}

/** Where nothing vouches for the records, each part says so again: a page is read from the middle too. */
function section({ id, title, fromRecords, content }: Part, { outcome }: Judgement, { records }: Verdict): Html {
  const doubtful = fromRecords && outcome === 'unverified';
  const shown =
    fromRecords && records.length === 0
      ? html`<p>The records of this evidence could not be verified, so none is shown.</p>`
      : content;
  return html`<section id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${title}</h2>
${doubtful ? html`<p class="doubt">${mark('bad', 'Not verified')}. Nothing in this part can be relied on.</p>` : NOTHING}
${shown}
</section>
`;
}
