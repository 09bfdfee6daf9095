import { H } from '../../../lib/domain/base/encoding';
import {
  describeTokenList,
  formatTokenList,
  parseTokenList,
  tokenListKey,
} from '../../../lib/domain/evidence/token-list';
import { leafHash, nodeHash } from '../../../lib/domain/tlog/merkle';

const tokens = ['a', 'b'].map((name) => ({ jtiH: H(`jti ${name}`), tokenSha256: H(`token ${name}`) }));
const lines = tokens.map(({ jtiH, tokenSha256 }) => `${jtiH} ${tokenSha256}`).sort();
const TEXT = `${lines.join('\n')}\n`;

test('a list is its lines, sorted, whatever order they came in, none twice', () => {
  expect(formatTokenList(tokens)).toBe(TEXT);
  expect(formatTokenList([...tokens.toReversed(), ...tokens])).toBe(TEXT);
  expect(formatTokenList(parseTokenList(Buffer.from(TEXT)))).toBe(TEXT);
});

test('its record commits to its digest, its length and the tree over its lines', () => {
  const [a = '', b = ''] = lines;
  const root = nodeHash(leafHash(Buffer.from(a)), leafHash(Buffer.from(b))).toString('base64url');
  expect(describeTokenList(7, TEXT)).toEqual({ shard: 7, count: 2, sha256: H(TEXT), root });
  expect(tokenListKey('kid', 7, 1_800_000_000, H(TEXT))).toBe(`issued/kid/07/1800000000-${H(TEXT)}`);
});

test.each<[string, string, string]>([
  ['an empty list', '', 'the lines of the token list are not sorted, distinct and newline-terminated'],
  ['no last newline', TEXT.slice(0, -1), 'the lines of the token list are not sorted, distinct and newline-terminated'],
  [
    'unsorted lines',
    `${lines.toReversed().join('\n')}\n`,
    'the lines of the token list are not sorted, distinct and newline-terminated',
  ],
  [
    'a line twice',
    `${lines[0]}\n${TEXT}`,
    'the lines of the token list are not sorted, distinct and newline-terminated',
  ],
  ['an empty line', `${TEXT}\n`, 'a line of the token list is not two digests'],
  ['one digest', `${H('x')}\n`, 'a line of the token list is not two digests'],
  ['three digests', `${lines[0]} ${H('x')}\n`, 'a line of the token list is not two digests'],
  ['CRLF', TEXT.replaceAll('\n', '\r\n'), 'a line of the token list is not two digests'],
  ['a short digest', `${H('x')} ${H('y').slice(1)}\n`, 'a line of the token list is not two digests'],
  ['padding', `${H('x')} ${H('y')}=\n`, 'a line of the token list is not two digests'],
])('%s is refused', (_what, text, message) => {
  expect(() => parseTokenList(Buffer.from(text))).toThrow(
    expect.objectContaining({ code: 'ERR_EVIDENCE_FORMAT', message }),
  );
});
