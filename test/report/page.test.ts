import type { IndexedRecord, Verdict } from '../../lib/domain/audit/bundle';
import { sha256 } from '../../lib/domain/base/encoding';
import { formatRecord } from '../../lib/domain/evidence/record';
import { factsOf } from '../../lib/report/facts';
import { html } from '../../lib/report/html';
import { formatReport } from '../../lib/report/page';
import { STYLE } from '../../lib/report/style';
import { type Departed, departed, summaryOf } from './departure-bundle';

let done: Departed;
/** The same departure, whose first access key somebody set Active again before it was looked at. */
let spoiled: Departed;
beforeAll(async () => {
  done = await departed();
  spoiled = await departed((step, nn, world) => {
    if (step === 'prove' && nn === '03') world.iam.reactivateAccessKey('mallory', 'AKIA1');
  });
});

const headline = (page: string) => /<h1>(.*?)<\/h1>/.exec(page)?.[1];
const report = (verdict: Verdict, more: object = {}) => formatReport({ verdict, ...more });
const changed = (verdict: Verdict, name: string, change: (one: IndexedRecord) => object): Verdict => ({
  ...verdict,
  records: verdict.records.map((one) =>
    one.record.id === `${verdict.case}/${name}`
      ? ({ ...one, record: { ...one.record, ...change(one) } } as IndexedRecord)
      : one,
  ),
});
const failing = (verdict: Verdict, id: string, code = 'ERR_EVIDENCE_TREE') =>
  ({
    ...verdict,
    ok: false,
    checks: verdict.checks.map((check) =>
      check.id === id ? { ...check, ok: false, code, detail: 'it is not so' } : check,
    ),
  }) as Verdict;

describe('the verdict', () => {
  test('a departure that ran to its end is proved', () => {
    expect(done.verdict.ok).toBe(true);
    const { outcome, page } = report(done.verdict);
    expect(outcome).toBe('proved');
    expect(headline(page)).toBe('Everything on record that this person could use was cut off and proved refused.');
  });

  test('it is a colour, a sign and a word, and never a colour alone', () => {
    const verdicts = { proved: done.verdict, open: spoiled.verdict, unverified: failing(done.verdict, 'tree') };
    const marks = Object.values(verdicts).map(
      (verdict) => /<p class="verdict">(.*?)<\/p>/s.exec(report(verdict).page)?.[1] ?? '',
    );
    expect(marks.map((mark) => mark.replace(/<[^>]*>/g, ''))).toEqual(['Proved', 'Open', 'Not verified']);
    expect(new Set(marks.map((mark) => /<svg.*<\/svg>/s.exec(mark)?.[0])).size).toBe(3);
  });

  test('every check of the verification that fails makes it evidence that does not verify', () => {
    for (const { id, claim } of done.verdict.checks) {
      const { outcome, page } = report(failing(done.verdict, id));
      expect([id, outcome, headline(page)]).toEqual([id, 'unverified', 'This evidence does not verify.']);
      expect(page).toContain(html`Not so: ${claim} (it is not so).`.markup);
      expect(page).not.toContain('</svg>Proved');
    }
  });

  test('a verdict without a single check is not a good one', () => {
    expect(report({ ...done.verdict, checks: [] }).outcome).toBe('unverified');
  });

  test('an item that was not proved leaves the case open, and is named', () => {
    const { outcome, page } = report(spoiled.verdict);
    expect([outcome, headline(page)]).toEqual(['open', 'Open items remain.']);
    expect(page).toContain('<li>Item 03 has not been observed as it should be.</li>');
    expect(page).toContain('<li>The case is not closed.</li>');
    expect(
      factsOf(spoiled.verdict.records, spoiled.caseId)
        .items.filter(({ proved }) => !proved)
        .map(({ nn }) => nn),
    ).toEqual(['03']);
  });

  test.each([
    ['03', { status: 'Active' }],
    ['03', {}],
    ['03', null],
    ['03', 'Inactive'],
    ['01', { blocked: 'true' }],
    ['02', { exists: true, tagged: true, denied: false }],
    ['05', { kmsState: 'Enabled' }],
    ['06', { state: 'SUSPECT', inJwks: false }],
    ['07', { state: 'DENIED', inJwks: false, sign: { signed: false, code: 'ERR_ACCESS_DENIED' } }],
    ['07', { state: 'DENIED', inJwks: false, standbys: 'none' }],
    ['08', { exists: true }],
    ['09', { followUp: 'c-1' }],
  ])('a record that item %s was proved, with %j for its observation, proves nothing', (nn, observed) => {
    const verdict = changed(done.verdict, `item/${nn}/proved`, ({ record }) => ({
      body: { ...record.body, observed },
    }));
    expect(report(verdict).outcome).toBe('open');
    expect(report(verdict).page).toContain(`Item ${nn} has not been observed as it should be.`);
  });

  test('a case with nothing in it has proved nothing', () => {
    const records = done.verdict.records.filter(({ record }) => !['case.listed', 'case.planned'].includes(record.type));
    const { outcome, page } = report({ ...done.verdict, records });
    expect([outcome, headline(page)]).toEqual(['open', 'Nothing was on record that this person could use.']);
  });

  test('an observation of the run that did not hold keeps it from being proved', () => {
    const summary = summaryOf(done);
    expect(report(done.verdict, { summary }).outcome).toBe('proved');
    const refuted = {
      ...summary,
      checks: summary.checks.map((check, i) => (i === 3 ? { ...check, ok: false } : check)),
    };
    const { outcome, page } = report(done.verdict, { summary: refuted });
    expect(outcome).toBe('open');
    expect(page).toContain('The observed check forgery-refused-after did not hold.');
  });

  test('a case that still runs is open; one that says it is closed and owes a record does not verify', () => {
    expect(spoiled.verdict.checks.filter(({ ok }) => !ok).map(({ id }) => id)).toContain('manifest');
    expect(report(failing(done.verdict, 'manifest', 'ERR_EVIDENCE_INCOMPLETE')).outcome).toBe('unverified');
  });

  test.each(['listed', 'planned'])(
    'in a case that still runs, a list %s otherwise than its inputs ask for does not verify',
    (name) => {
      const shortened = changed(spoiled.verdict, name, ({ record: { body } }) => ({
        body: { ...body, items: (body.items as object[]).slice(1) },
      }));
      expect(report(shortened).outcome).toBe('unverified');
    },
  );

  test('the second rotation after a first case is about custody alone, and says so', () => {
    const verdict = changed(done.verdict, 'opened', ({ record: { body } }) => ({
      body: { ...body, followUpOf: 'c-first' },
    }));
    expect(headline(report(verdict).page)).toBe(
      'Every key this person had custody of was replaced, and the old ones are proved refused.',
    );
  });
});

describe('what vouches for it', () => {
  test('a key from the bundle is said to be one, and a pinned key is not', () => {
    expect(report(done.verdict).page).toContain('was taken from the evidence itself');
    const pinned = report({ ...done.verdict, keyFrom: 'pinned' }).page;
    expect(pinned).toContain('was given beforehand');
    expect(pinned).not.toContain('was taken from the evidence itself');
  });

  test('without an outside witness it is not independent of the operator, at the top and among what is not proved', () => {
    const { page } = report(done.verdict);
    expect(page.indexOf('Not independent of the operator:')).toBeLessThan(page.indexOf('<main>'));
    expect(page.slice(page.indexOf('id="limits"'))).toContain(
      'until an outside witness signs its states too'.replace('until', 'Until'),
    );
  });

  test('what is not proved stands on every page, with the date until when', () => {
    for (const verdict of [
      done.verdict,
      spoiled.verdict,
      failing(done.verdict, 'tree'),
      { ...failing(done.verdict, 'tree'), records: [] },
    ])
      expect(report(verdict).page).toContain('What is not proved here, and until when');
    expect(report(done.verdict).page).toMatch(/<strong>Until <time datetime="2027-01-15T20:0\d:\d\dZ">/);
  });

  test('evidence without readable records shows none of the story', () => {
    const { page } = report({ ...failing(done.verdict, 'tree'), records: [] });
    expect(page.match(/The records of this evidence could not be verified, so none is shown\./g)).toHaveLength(5);
    expect(page).not.toContain('class="record"');
  });
});

describe('the page', () => {
  const page = () =>
    report(done.verdict, { summary: summaryOf(done), checkpoint: 'log\n49\nroot\n', verifierKey: 'log+1+key' }).page;
  const idsOf = (text: string) => [...text.matchAll(/\bid="([^"]*)"/g)].map(([, id]) => id);
  const linksOf = (text: string) => [...text.matchAll(/\bhref="([^"]*)"/g)].map(([, href]) => href ?? '');

  test('every link leads to an anchor on the page, and no anchor is there twice', () => {
    for (const text of [page(), report(spoiled.verdict).page]) {
      const ids = idsOf(text);
      expect(new Set(ids).size).toBe(ids.length);
      expect(linksOf(text).length).toBeGreaterThan(60);
      for (const href of linksOf(text)) expect(ids).toContain(href.replace(/^#/, ''));
    }
  });

  test('every milestone, item, state of a key and wave has a link to its record', () => {
    const parts = [...page().matchAll(/<(li|tr|p class="spans")>(.*?)<\/(?:li|tr|p)>/gs)].map(
      ([, , part]) => part ?? '',
    );
    const milestones = parts.filter((part) => part.startsWith('<span class="what">'));
    const rows = parts.filter(
      (part) =>
        part.startsWith('<th scope="row" data-label="What it was"') ||
        part.startsWith('<th scope="row" data-label="Old key'),
    );
    const states = [...page().matchAll(/<p class="spans">(.*?)<\/p>/gs)].flatMap(([, spans = '']) =>
      spans.split(' → '),
    );
    expect([milestones.length, rows.length, states.length]).toEqual([10, 11, 10]);
    for (const part of [...milestones, ...rows, ...states]) expect(part).toMatch(/href="#record-\d+"/);
  });

  test('the appendix shows the canonical bytes of each record of the case and of its rings', () => {
    const shown = done.verdict.records.filter(({ record }) => record.case === done.caseId || record.ring !== undefined);
    expect(shown.length).toBeGreaterThan(40);
    for (const { index, record } of shown) {
      const article =
        new RegExp(`<article class="record" id="record-${index}">.*?</article>`, 's').exec(page())?.[0] ?? '';
      expect(article).toContain(html`<pre><code>${formatRecord(record)}</code></pre>`.markup);
    }
  });

  test('it tells the story in five to eight sentences, each with its record', () => {
    const sentences = [...(/<ol class="story">(.*?)<\/ol>/s.exec(page())?.[1] ?? '').matchAll(/<li>(.*?)<\/li>/gs)].map(
      ([, one]) => one ?? '',
    );
    expect(sentences.length).toBeGreaterThanOrEqual(5);
    expect(sentences.length).toBeLessThanOrEqual(8);
    for (const sentence of sentences) expect(sentence).toMatch(/href="#record-\d+"/);
  });

  test('it counts the tokens as the waves recorded them, with the leaver’s own left out', () => {
    expect(page()).toContain('of 50 tokens on record under the old keys, 48 got a new signature, and 2 were left out');
    expect(page().match(/1 of someone who was cut off/g)).toHaveLength(2);
  });

  test('keys go from state to state as they did, the old issuer’s among them', () => {
    const lanes = [...page().matchAll(/<p class="spans">(.*?)<\/p>/gs)].map(([, spans = '']) =>
      [...spans.matchAll(/<b>(\w+)<\/b>/g)].map(([, state]) => state).join(' '),
    );
    expect(lanes).toEqual(['OBSERVED SUSPECT DENIED', 'ACTIVE SUSPECT DENIED', 'STANDBY ACTIVE', 'STANDBY', 'STANDBY']);
    expect(page()).toContain('The old issuer’s key');
  });

  test('it loads nothing and runs nothing, and the policy in its head lets in the style alone, by its digest', () => {
    const text = page();
    expect(text).not.toMatch(/<(script|link|img|iframe|object|embed|base|form|input)\b/i);
    // Of tags alone: a signature is base64, which may spell anything and ends with =.
    const names = [...text.replace(/"[^"]*"/g, '""').matchAll(/<[a-z][^<>]*>/gi)].flatMap(([tag]) =>
      [...tag.matchAll(/[\s"/]([\w:-]+)\s*=/g)].map(([, name]) => name),
    );
    expect(names).toEqual(expect.arrayContaining(['lang', 'href', 'class']));
    expect(names.filter((name) => /^(src|srcset|action|style|on\w+)$/i.test(name ?? ''))).toEqual([]);
    expect(STYLE.markup).not.toMatch(/url\(|@import|<\//i);
    expect(linksOf(text).filter((href) => !href.startsWith('#'))).toEqual([]);
    expect([...text.matchAll(/<style>(.*?)<\/style>/gs)].map(([, css]) => css)).toEqual([STYLE.markup]);
    expect(/http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(text)?.[1]).toBe(
      html`default-src 'none'; style-src 'sha256-${sha256(STYLE.markup).toString('base64')}'; base-uri 'none'; form-action 'none'`.markup.replaceAll(
        "'",
        '&#39;',
      ),
    );
  });

  test('headings go down one at a time, and every table has a caption', () => {
    const levels = [...page().matchAll(/<h([1-6])\b/g)].map(([, level]) => Number(level));
    expect(levels[0]).toBe(1);
    levels.reduce((before, level) => {
      expect(level - before).toBeLessThanOrEqual(1);
      return level;
    });
    expect(page().match(/<table/g)?.length).toBe(page().match(/<caption>/g)?.length);
    expect(page().match(/<svg(?![^>]*(aria-label|aria-hidden|presentation))/g)).toBeNull();
  });
});

test('a case on hold says what it waits for', async () => {
  const { stages } = factsOf(done.verdict.records, done.caseId);
  const contained = stages['case.contained'] as IndexedRecord;
  const before = spoiled.verdict.records.filter(
    ({ record }) => record.type.startsWith('case.') && record.at <= contained.record.at,
  );
  const asked: IndexedRecord = {
    index: 99,
    record: {
      ...contained.record,
      id: `${done.caseId}/asked/1`,
      type: 'case.asked',
      body: { n: 1, reasons: ['dates-apart'], about: 'q' },
    },
  };
  const { outcome, page } = report({ ...spoiled.verdict, records: [...before, asked] });
  expect(outcome).toBe('open');
  expect(page).toContain('The case is on hold until people decide.');
  expect(page).toContain('Something spoke against it: the sources name dates that are more than 36 hours apart.');
});

test('a containment that left an item open does not say that all is shut', () => {
  const records = done.verdict.records.map((one) =>
    one.record.type === 'case.contained'
      ? { ...one, record: { ...one.record, body: { items: 4, open: ['02'] } } }
      : one,
  );
  const { page } = report({ ...spoiled.verdict, records });
  expect(page).toMatch(/all but 1 of .* were shut; what stayed open keeps the case open/);
  expect(page).toContain('Access contained, but for what stayed open');
  expect(page).not.toContain('All access contained');
});

describe('what a ring was let off', () => {
  const exemption = {
    rule: 'ERR_RING_LIMIT',
    subject: 'customer-api',
    approver: 'CHG-7',
    reason: 'yearly <partner>',
    until: '2027-03-31',
  };
  const verifiers = [
    { name: 'orders', cacheSeconds: 60 },
    { name: 'old-gateway', cacheSeconds: 'unbounded' },
  ];
  const pageWith = (more: object) => {
    const records = done.verdict.records.map((one) =>
      one.record.type === 'ring.created'
        ? { ...one, record: { ...one.record, body: { ...one.record.body, ...more } } }
        : one,
    );
    return formatReport({ verdict: { ...done.verdict, records } }).page;
  };

  test('a verifier that declared no limit to its cache is named, and what to do about it', () => {
    expect(pageWith({ verifiers })).toContain(
      '<strong>old-gateway</strong> declared that it has no such limit: restart it',
    );
    expect(pageWith({})).toContain('A library without any such limit goes on until it is restarted.');
  });

  test('an exemption stands with who approved it, why, and its end', () => {
    const page = pageWith({ exemptions: [exemption] });
    expect(page).toContain(
      '<strong>Until 2027-03-31:</strong> customer-api is exempt from the rule <code>ERR_RING_LIMIT</code>',
    );
    expect(page).toContain('“yearly &lt;partner&gt;”, approved under CHG-7');
    expect(pageWith({})).not.toContain('is exempt from');
  });
});

test('items that two people accepted are counted apart, and nothing says that everything is proved', async () => {
  const accepted = await departed(undefined, true);
  const { verdict } = accepted;
  expect([verdict.ok, verdict.accepted]).toEqual([true, 2]);
  expect(verdict.notes).toContainEqual(
    expect.stringMatching(/^not proved, but accepted by two approvers until 20\d\d-.* 2 items/),
  );
  const { outcome, page } = report(verdict);
  expect(outcome).toBe('accepted');
  expect(headline(page)).toMatch(/^Closed with exceptions: \d+ items are proved, and 2 are not\.$/);
  expect(page).toContain('<title>Closed with exceptions: departure');
  expect(page).toContain('2 of them accepted and not proved');
  expect(page.match(/<\/svg>Accepted until/g)).toHaveLength(2);
  expect(page).not.toMatch(
    /Everything on record|Each item was then looked at|All <a href="#items">|keeps the case open/,
  );
  // Without the acceptance the same records are open items of a case that calls itself closed: no evidence.
  const records = verdict.records.filter(({ record }) => record.type !== 'case.accepted');
  expect(report({ ...verdict, records }).outcome).toBe('open');
});

test('a case that nobody could decide about is not proved, whatever was observed of its items', () => {
  const undecided = changed(done.verdict, 'closed', ({ record: { body } }) => ({ body: { ...body, notDecided: 1 } }));
  const { outcome, page } = report(undecided);
  expect([outcome, headline(page)]).toEqual(['open', 'Open items remain.']);
  expect(page).toContain('Nobody could decide whether it goes on');
});
