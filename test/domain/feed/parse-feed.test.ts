/** The feed as read: every member of it missing, of another type, or one that nobody knows, at every depth. */
import { base64url } from '../../../lib/domain/base/encoding';
import { isCurfewError } from '../../../lib/domain/base/errors';
import { feedAt } from '../../../lib/domain/feed/feed';
import { feedOf, parseFeed } from '../../../lib/domain/feed/parse-feed';
import { activeRecord, keyRecord, NOW, ringWith } from '../../support/rings';

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** With a window that a wave opened, which is the one member that may be absent. */
const wave = { iatFrom: NOW, iatTo: NOW + 9, wave: keyRecord(3).kid };
const CUTS = ['b1', 'b2'].map((blinded) => ({ blinded, notBefore: NOW - 5, blocked: true }));
const ring = ringWith({ keys: [activeRecord(1, { windows: [wave] }), keyRecord(2), keyRecord(3)] });
const DOCUMENT = JSON.parse(JSON.stringify(feedAt(ring, CUTS, 42, NOW, 300))) as Json;

interface Spoilt {
  readonly what: string;
  readonly document: Json;
}

/** The document with one thing wrong, for every thing in it. `put` sets what is at `path` to something else. */
function spoilt(value: Json, path: string, put: (value: Json) => Json): Spoilt[] {
  const wrong = [null, {}, [], 'x', -1, 1.5, true].filter((other) => !isAlike(other, value));
  const mistyped =
    path === '' ? [] : wrong.map((other) => ({ what: `${path} is ${JSON.stringify(other)}`, document: put(other) }));
  if (typeof value !== 'object' || value === null) return mistyped;
  if (Array.isArray(value)) {
    const tooMany = path.startsWith('cut.') ? [{ what: `${path} has one more`, document: put([...value, 0]) }] : [];
    return [
      ...mistyped,
      ...tooMany,
      ...value.flatMap((one, n) => spoilt(one, `${path}.${n}`, (other) => put(value.with(n, other)))),
    ];
  }
  const members = value as Readonly<Record<string, Json>>;
  const at = (name: string) => (path === '' ? name : `${path}.${name}`);
  return [
    ...mistyped,
    { what: `${at('later')} is unknown`, document: put({ ...members, later: 1 }) },
    ...Object.entries(members).flatMap(([name, member]) => {
      const { [name]: _left, ...others } = members;
      const missing = name === 'wave' ? [] : [{ what: `${at(name)} is missing`, document: put(others) }];
      return [...missing, ...spoilt(member, at(name), (other) => put({ ...members, [name]: other }))];
    }),
  ];
}

/** Of one type, where any value of it will do; a state, a kid or a number must not be any text, or below zero. */
function isAlike(other: Json, value: Json): boolean {
  if (Array.isArray(other) && Array.isArray(value)) return true;
  if (typeof other === 'string') return typeof value === 'string';
  return typeof other === 'boolean' && typeof value === 'boolean';
}

test('what is written is read, member by member', () => {
  expect(parseFeed(DOCUMENT)).toEqual(DOCUMENT);
});

test.each(spoilt(DOCUMENT, '', (other) => other).map(({ what, document }) => [what, document] as const))(
  '%s: refused',
  (_what, document) => {
    expect(() => parseFeed(document)).toThrow(expect.objectContaining({ code: 'ERR_FEED_INVALID' }));
  },
);

test.each<[string, Json, string]>([
  ['nothing', null, 'the whole'],
  ['a member of the feed', { ...Object(DOCUMENT), seq: '42' }, 'seq'],
  ['a member of a key', { ...Object(DOCUMENT), keys: [{ kid: 'k' }] }, 'keys.0.state'],
  ['a cut-off', { ...Object(DOCUMENT), cut: [['b', 'x', true]] }, 'cut.0.1'],
  ['what nobody knows', { ...Object(DOCUMENT), later: 1 }, 'later'],
])('the refusal of %s carries its name', (_what, document, member) => {
  expect(() => parseFeed(document)).toThrow(
    expect.objectContaining({ message: 'the feed is not a version 1 feed', got: member }),
  );
});

test('a kid or a subject that is named twice is one that two readers may take for two things', () => {
  const { keys, cut } = Object(DOCUMENT);
  const twice = (more: object) => () => parseFeed({ ...Object(DOCUMENT), ...more });
  expect(twice({ keys: [...keys, keys[0]] })).toThrow('the feed names a kid twice');
  expect(twice({ cut: [...cut, ['b1', 0, false]] })).toThrow('the feed cuts a subject off twice');
});

test('a key that is no public key is one of the feed, and no fault of a configuration', () => {
  const [key] = Object(DOCUMENT).keys;
  for (const jwk of [
    { ...key.jwk, d: 'AA' },
    { ...key.jwk, x: 'AA' },
    { ...key.jwk, use: 'enc' },
    { ...key.jwk, alg: 'none' },
  ])
    expect(() => parseFeed({ ...Object(DOCUMENT), keys: [{ ...key, jwk }] })).toThrow(
      expect.objectContaining({ code: 'ERR_FEED_INVALID', got: expect.stringMatching(/^keys\.0\.jwk/) }),
    );
});

test('of what is published only a payload in its one spelling is read', () => {
  const payload = base64url(JSON.stringify(DOCUMENT));
  expect(feedOf(`h.${payload}.s`)).toEqual(DOCUMENT);
  for (const text of ['', 'h', 'h..s', `h.${payload}=.s`, `h.${base64url('{')}.s`, `h.${base64url('null')}.s`]) {
    let code: unknown;
    try {
      feedOf(text);
    } catch (error) {
      code = isCurfewError(error) && error.code;
    }
    expect([text, code]).toEqual([text, 'ERR_FEED_INVALID']);
  }
});
