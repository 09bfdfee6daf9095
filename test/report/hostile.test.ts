/** Whatever stands in a record or a summary, the page has the tags that were written for it, and no other. */
import fc from 'fast-check';
import type { IndexedRecord, Verdict } from '../../lib/domain/audit/bundle';
import type { Json } from '../../lib/domain/base/encoding';
import { type EvidenceRecord, RECORD_TYPES } from '../../lib/domain/evidence/record';
import { formatReport } from '../../lib/report/page';
import type { Summary } from '../../lib/report/summary';
import { type Departed, departed, summaryOf } from './departure-bundle';

let done: Departed;
beforeAll(async () => {
  done = await departed();
});

const ATTACKS = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '" onmouseover="alert(1)',
  '</style><style>*{display:none}</style>',
  '</pre></code></article><h1>Proved</h1>',
  'javascript:alert(1)',
  '<!--',
  '-->',
  ']]>',
  '&lt;script&gt;',
  '&#x3c;script&#x3e;',
  '`$' + '{alert(1)}`',
  '\u202eevil\u202c',
  '\u0000\u0007\u001b[31m',
  '\ud800',
  '\u2028',
  '#"><a href="https://evil.example',
];
const ENUMS = ['type', 'nn', 'kind', 'class', 'state', 'phase', 'v'];
const TAG = /<\/?([a-z][a-z0-9]*)((?: [a-z-]+\d?="[^"<>]*")*)(?: \/)?>/g;
const TAGS = new Set(
  'html head meta title style body header main section nav h1 h2 h3 p ul ol li dl dt dd a b strong code pre span time figure figcaption table caption thead tbody tr th td article div svg line circle rect path text'.split(
    ' ',
  ),
);
const ATTRIBUTES = new Set(
  'lang charset http-equiv content name class id aria-labelledby aria-label aria-hidden href datetime data-label scope role width height viewBox viewbox x y x1 y1 x2 y2 cx cy r rx d text-anchor'.split(
    ' ',
  ),
);

/** Tag names in order; fails on anything that is no tag of ours, no attribute of ours or no plain text. */
function tagsOf(page: string): string[] {
  const body = page
    .replace(/^<!doctype html>/, '')
    .replace(/<style>.*?<\/style>/s, '<style></style>')
    .replaceAll('viewBox', 'viewbox');
  const rest = body.replace(TAG, '');
  expect(rest).not.toMatch(/[<>]/);
  expect(rest).not.toMatch(/&(?!(amp|lt|gt|quot|nbsp|#39|#96);)/);
  expect(body).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
  const tags = [...body.matchAll(TAG)].map(([, name = '', attributes = '']) => ({ name, attributes }));
  const attributes = tags.flatMap((tag) => [...tag.attributes.matchAll(/ ([a-z-]+\d?)="([^"]*)"/g)]);
  const foreign = [
    ...tags.map(({ name }) => name).filter((name) => !TAGS.has(name)),
    ...attributes.filter(
      ([, name = '', value = '']) => !ATTRIBUTES.has(name) || (name === 'href' && !/^#[a-z]+(-\d+)?$/.test(value)),
    ),
  ];
  expect(foreign).toEqual([]);
  return tags.map(({ name }) => name);
}

function said(value: Json | undefined, by: (text: string) => string, keep: readonly string[]): Json | undefined {
  if (typeof value === 'string') return by(value);
  if (Array.isArray(value)) return value.map((one) => said(one, by, keep) as Json);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, keep.includes(name) ? one : said(one, by, keep)]),
  );
}

const everywhere = (verdict: Verdict, by: (text: string) => string, keep: readonly string[]): Verdict => ({
  ...verdict,
  case: by(verdict.case ?? ''),
  checkpoint: verdict.checkpoint && { ...verdict.checkpoint, origin: by(verdict.checkpoint.origin) },
  checks: verdict.checks.map((check) => ({ ...check, claim: by(check.claim), detail: by(check.detail ?? '') })),
  notes: verdict.notes.map(by),
  records: verdict.records.map(({ index, record }) => ({
    index,
    record: { ...(said(record as unknown as Json, by, keep) as unknown as EvidenceRecord), type: record.type },
  })),
});
const told = (summary: Summary, by: (text: string) => string) =>
  said(summary as unknown as Json, by, []) as unknown as Summary;

const render = (by: (text: string) => string, keep: readonly string[], ok: boolean) =>
  formatReport({
    verdict: { ...everywhere(done.verdict, by, keep), ok },
    summary: told(summaryOf(done), by),
    checkpoint: by('checkpoint'),
    verifierKey: by('key'),
  }).page;

test.each(ATTACKS)('%j in every field at once changes no tag of the page', (attack) => {
  for (const keep of [ENUMS, ['type']])
    for (const ok of [true, false]) {
      const tags = tagsOf(render((text) => `${attack}${text}`, keep, ok));
      expect(tags.join(' ')).toBe(tagsOf(render((text) => `x${text}`, keep, ok)).join(' '));
    }
});

test('what was attacked with is there to read', () => {
  expect(render((text) => `<b onclick="x">${text}`, ENUMS, true)).toContain(
    '&lt;b onclick=&quot;x&quot;&gt;customer-api',
  );
  expect(render((text) => `\u202e${text}`, ENUMS, true)).toContain('\\u{202e}customer-api');
});

test('any text at all in every field changes no tag of the page', () => {
  const anything = fc.string({ unit: 'binary', maxLength: 40 });
  const plain = tagsOf(render((text) => `x${text}`, ENUMS, true)).join(' ');
  fc.assert(
    fc.property(anything, (prefix) =>
      expect(tagsOf(render((text) => `y${prefix}${text}`, ENUMS, true)).join(' ')).toBe(plain),
    ),
    { numRuns: 60 },
  );
});

test('records with any bodies make a page of our tags, and never one that is proved', () => {
  const leaf = fc.oneof(fc.string(), fc.constantFrom(...ATTACKS), fc.maxSafeInteger(), fc.boolean(), fc.constant(null));
  const { value } = fc.letrec<{ value: Json }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      leaf,
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.string(), tie('value'), { maxKeys: 4 }),
    ) as fc.Arbitrary<Json>,
  }));
  const members = [
    'items',
    'principals',
    'exposures',
    'keys',
    'observed',
    'kid',
    'replaced',
    'cases',
    'excluded',
    'source',
    'done',
    'dueAt',
    'hrEventAt',
    'acceptedAt',
    'cacheSeconds',
    'verifiers',
    'exemptions',
    'kind',
    'nn',
    'standbys',
    'sign',
    'because',
  ];
  const body = fc.dictionary(fc.constantFrom(...members), value, { maxKeys: 8 });
  const record = fc.record({
    v: fc.constant(1 as const),
    id: fc.constantFrom('c-1/opened', 'c-1/item/01/proved', 'c-1/item/01/done', 'r/000001.0', 'r/000002.0'),
    type: fc.constantFrom(...(Object.keys(RECORD_TYPES) as EvidenceRecord['type'][])),
    at: fc.maxSafeNat(),
    case: fc.option(fc.constant('c-1'), { nil: undefined }),
    ring: fc.option(fc.constant('r'), { nil: undefined }),
    body,
  });
  fc.assert(
    fc.property(fc.array(record, { maxLength: 12 }), (all) => {
      const records = all.map((one, index): IndexedRecord => ({ index, record: one as EvidenceRecord }));
      const { page, outcome } = formatReport({ verdict: { ...done.verdict, case: 'c-1', records } });
      tagsOf(page);
      expect(outcome).toBe('open');
    }),
    { numRuns: 300 },
  );
});
