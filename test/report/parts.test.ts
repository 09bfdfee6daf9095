import fc from 'fast-check';
import { groupPairs } from '../../lib/report/checks';
import { html } from '../../lib/report/html';
import { STYLE } from '../../lib/report/style';
import { parseSummary } from '../../lib/report/summary';
import { formatSince, instant } from '../../lib/report/time';
import { spread } from '../../lib/report/timeline';

describe('html', () => {
  test('text is escaped in one way that is right in text and in an attribute', () => {
    expect(html`<p title="${`<&>"'\``}">${`<&>"'\``}</p>`.markup).toBe(
      '<p title="&lt;&amp;&gt;&quot;&#39;&#96;">&lt;&amp;&gt;&quot;&#39;&#96;</p>',
    );
  });

  test('markup goes in as it is, lists one after the other, nothing for undefined', () => {
    expect(html`<ul>${[html`<li>${1}</li>`, [html`<li>${'<'}</li>`], undefined]}</ul>`.markup).toBe(
      '<ul><li>1</li><li>&lt;</li></ul>',
    );
  });

  test('an object that looks like markup is text', () => {
    const forged = { markup: '<script>' } as never;
    expect(() => html`${forged}`.markup).toThrow(TypeError);
  });

  test.each([
    ['\u202e', '\\u{202e}'],
    ['\u0000', '\\u{0}'],
    ['\ufeff', '\\u{feff}'],
    ['\ud800', '\\u{d800}'],
    ['\u2028', '\\u{2028}'],
    ['\n', '\n'],
    ['한국어 é 🙂', '한국어 é 🙂'],
  ])('%j is shown as %j', (given, shown) => {
    expect(html`${given}`.markup).toBe(shown);
  });
});

test('an instant is counted from the origin', () => {
  expect(instant(1_800_000_003, 1_800_000_000).markup).toBe(
    '<time datetime="2027-01-15T08:00:03Z">2027-01-15 08:00:03 UTC</time> <span class="since">+3 s</span>',
  );
  expect(formatSince(10, 15)).toBe('−5 s');
});

test('markers of the time line keep their order and their distance, and stay on the line', () => {
  const places = fc
    .array(fc.double({ min: 3, max: 97, noNaN: true }), { minLength: 1, maxLength: 12 })
    .map((all) => all.sort((a, b) => a - b));
  fc.assert(
    fc.property(places, (given) => {
      const markers = spread(given);
      expect(markers).toHaveLength(given.length);
      for (const [i, marker] of markers.entries()) {
        expect(marker).toBeGreaterThanOrEqual(3);
        expect(marker).toBeLessThanOrEqual(97);
        if (i > 0) expect(marker - (markers[i - 1] ?? 0)).toBeGreaterThanOrEqual(7 - 1e-9);
      }
    }),
  );
});

test('a refusal stands beside what was accepted before it', () => {
  const ids = [
    'access-key-worked-before',
    'forgery-accepted-before',
    'latch-denies',
    'forgery-refused-while-suspect',
    'access-key-refused-after',
    'forgery-refused-after',
  ];
  const groups = groupPairs(ids.map((id) => ({ id, claim: '', expected: '', observed: '', ok: true })));
  expect(groups.map((group) => group.map(({ id }) => id))).toEqual([
    ['access-key-worked-before', 'access-key-refused-after'],
    ['forgery-accepted-before', 'forgery-refused-while-suspect', 'forgery-refused-after'],
    ['latch-denies'],
  ]);
});

describe('the summary of a run', () => {
  const given = {
    engine: 'emulator',
    case: 'c-1',
    checks: [{ id: 'a', claim: 'b', expected: 1, observed: 1, ok: true }],
  };

  test('times are epoch seconds or ISO instants; one that was never reached is left out', () => {
    const timings = { hrEventAt: 1_800_000_000.5, blockedAt: '2027-01-15T08:00:03.200Z', closedAt: null };
    expect(parseSummary(JSON.stringify({ ...given, timings })).timings).toEqual([
      { name: 'hrEventAt', at: 1_800_000_000.5 },
      { name: 'blockedAt', at: 1_800_000_003.2 },
    ]);
  });

  test.each([
    ['', 'the summary is not JSON'],
    ['[]', 'the summary is an object'],
    ['null', 'the summary is an object'],
    ['{}', 'the summary names its engine and its case'],
    [JSON.stringify({ ...given, case: 7 }), 'the summary names its engine and its case'],
    [JSON.stringify({ ...given, checks: undefined }), 'the summary has a list of checks'],
    [JSON.stringify({ ...given, checks: [1] }), 'the summary has checks that are objects'],
    [
      JSON.stringify({ ...given, checks: [{ id: 'a', claim: 'b', ok: 'yes' }] }),
      'the summary has checks with id, claim, expected, observed and ok',
    ],
    [JSON.stringify({ ...given, settings: [] }), 'the summary has settings, timings and counts as objects'],
    [JSON.stringify({ ...given, patched: {} }), 'the summary has patched and notProvedHere as lists'],
    [
      JSON.stringify({ ...given, timings: { hrEventAt: 1_800_000_000_000 } }),
      'the summary has timings.hrEventAt in epoch seconds or as an ISO instant',
    ],
    [
      JSON.stringify({ ...given, timings: { hrEventAt: 'noon' } }),
      'the summary has timings.hrEventAt in epoch seconds or as an ISO instant',
    ],
  ])('%s is refused', (text, message) => {
    expect(() => parseSummary(text)).toThrow(expect.objectContaining({ code: 'ERR_INPUT_INVALID', message }));
  });
});

describe('colours', () => {
  const schemes = [...STYLE.markup.matchAll(/:root \{([^}]*)\}/g)].map(([, block = '']) =>
    Object.fromEntries(
      [...block.matchAll(/--([a-z-]+): (#[0-9a-f]{3,6});/g)].map(([, name = '', value = '']) => [name, value]),
    ),
  );
  const luminance = (hex: string) => {
    const long = hex.length === 4 ? hex.replace(/[0-9a-f]/g, '$&$&') : hex;
    const [r = 0, g = 0, b = 0] = [1, 3, 5].map((i) => {
      const channel = Number.parseInt(long.slice(i, i + 2), 16) / 255;
      return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a: string, b: string) => {
    const [high = 0, low = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
    return (high + 0.05) / (low + 0.05);
  };
  const [light = {}, dark = {}, print = {}] = schemes;

  test.each([
    ['light', light],
    ['dark', { ...light, ...dark }],
    ['print', { ...light, ...print }],
  ])('every text of the %s scheme has the contrast of WCAG AA', (_name, scheme: Record<string, string>) => {
    const onGround = ['ink', 'soft', 'link', 'good', 'open', 'bad'].flatMap((name) => [
      [name, 'ground'],
      [name, 'raised'],
    ]);
    const onBars = [
      ['on-dark', 'active'],
      ['on-dark', 'observed'],
      ['on-dark', 'suspect'],
      ['on-dark', 'denied'],
      ['on-light', 'standby'],
    ];
    for (const [text = '', ground = ''] of [...onGround, ...onBars])
      expect([text, ground, contrast(scheme[text] ?? '', scheme[ground] ?? '') >= 4.5]).toEqual([text, ground, true]);
  });
});
