import { type EvidenceRecord, formatRecord, parseRecord, RECORD_BYTES_MAX } from '../../../lib/domain/evidence/record';

const RECORD: EvidenceRecord = {
  v: 1,
  id: 'customer-api/000007.0',
  type: 'key.activated',
  at: 1_800_000_000,
  ring: 'customer-api',
  body: { kid: 'k' },
};
const TEXT =
  '{"at":1800000000,"body":{"kid":"k"},"id":"customer-api/000007.0","ring":"customer-api","type":"key.activated","v":1}';
const parse = (text: string) => parseRecord(Buffer.from(text));

test('a record has one spelling', () => {
  expect(formatRecord(RECORD)).toBe(TEXT);
  expect(parse(TEXT)).toEqual(RECORD);
});

test.each<[string, string, string | RegExp]>([
  ['nothing', '', 'a record is JSON'],
  ['half', TEXT.slice(0, 20), 'a record is JSON'],
  ['null', 'null', 'a record is a JSON object'],
  ['an array', '[]', 'a record is a JSON object'],
  ['another version', TEXT.replace('"v":1', '"v":2'), 'a record has v 1'],
  ['a member more', TEXT.replace('"v":1', '"v":1,"w":1'), 'a record has no member beside those of version 1'],
  ['__proto__', TEXT.replace('{"at"', '{"__proto__":{},"at"'), 'a record has no member beside those of version 1'],
  ['an unknown type', TEXT.replace('key.activated', 'key.resurrected'), 'a record has a known type'],
  ['an inherited type', TEXT.replace('key.activated', 'constructor'), 'a record has a known type'],
  ['no id', TEXT.replace('"id":"customer-api/000007.0",', ''), /^a record has an id like/],
  ['an id with a space', TEXT.replace('000007.0', '7 0'), /^a record has an id like/],
  ['a time in text', TEXT.replace('1800000000', '"1800000000"'), 'a record has at in whole epoch seconds'],
  ['a time before 1970', TEXT.replace('1800000000', '-1'), 'a record has at in whole epoch seconds'],
  ['half a second', TEXT.replace('1800000000', '1.5'), 'a record has at in whole epoch seconds'],
  ['no body', TEXT.replace('{"kid":"k"}', 'null'), 'a record has an object as body'],
  ['a ring that is none', TEXT.replace('"ring":"customer-api"', '"ring":7'), /^a record names its ring like/],
  ['a space', TEXT.replace('":', '": '), 'a record is spelled canonically'],
  ['a newline at the end', `${TEXT}\n`, 'a record is spelled canonically'],
  [
    'another order',
    TEXT.replace('{"at":1800000000,', '{').replace('"v":1', '"v":1,"at":1800000000'),
    'a record is spelled canonically',
  ],
  ['a member twice', TEXT.replace('"v":1', '"v":1,"v":1'), 'a record is spelled canonically'],
  ['an escaped letter', TEXT.replace('"k"', '"\\u006b"'), 'a record is spelled canonically'],
  ['an exponent', TEXT.replace('1800000000', '18e8'), 'a record is spelled canonically'],
  ['a fraction in the body', TEXT.replace('"k"', '0.5'), 'a record has safe integers for numbers'],
  ['a byte order mark', `\ufeff${TEXT}`, 'a record is JSON'],
])('%s is refused', (_what, text, message) => {
  expect(() => parse(text)).toThrow(
    expect.objectContaining({ code: 'ERR_EVIDENCE_RECORD', message: expect.stringMatching(message) }),
  );
});

test('bytes that are not UTF-8 are refused', () => {
  const bytes = Buffer.from(TEXT.replace('"k"', '"\u00e9"'), 'latin1');
  expect(() => parseRecord(bytes)).toThrow(expect.objectContaining({ message: 'a record is spelled canonically' }));
});

test('a record fits its entry, or is refused', () => {
  const long = formatRecord({ ...RECORD, body: { kid: 'k'.repeat(RECORD_BYTES_MAX) } });
  expect(() => parse(long)).toThrow(expect.objectContaining({ message: 'a record is at most 65535 bytes' }));
});
