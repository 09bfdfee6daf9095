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
  ['an empty list', '', 'a token list is its lines, sorted, none twice, each ended'],
  ['no last newline', TEXT.slice(0, -1), 'a token list is its lines, sorted, none twice, each ended'],
  ['unsorted lines', `${lines.toReversed().join('\n')}\n`, 'a token list is its lines, sorted, none twice, each ended'],
  ['a line twice', `${lines[0]}\n${TEXT}`, 'a token list is its lines, sorted, none twice, each ended'],
  ['an empty line', `${TEXT}\n`, 'a line of a token list is two digests'],
  ['one digest', `${H('x')}\n`, 'a line of a token list is two digests'],
  ['three digests', `${lines[0]} ${H('x')}\n`, 'a line of a token list is two digests'],
  ['CRLF', TEXT.replaceAll('\n', '\r\n'), 'a line of a token list is two digests'],
  ['a short digest', `${H('x')} ${H('y').slice(1)}\n`, 'a line of a token list is two digests'],
  ['padding', `${H('x')} ${H('y')}=\n`, 'a line of a token list is two digests'],
])('%s is refused', (_what, text, message) => {
  expect(() => parseTokenList(Buffer.from(text))).toThrow(
    expect.objectContaining({ code: 'ERR_EVIDENCE_FORMAT', message }),
  );
});
