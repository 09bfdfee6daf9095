import fc from 'fast-check';
import { formatCheckpoint, parseCheckpoint, verifyCheckpoint } from '../../../lib/domain/tlog/checkpoint';
import { TestKey } from '../audit/test-log';

const ROOT = 'CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=';

test('https://c2sp.org/tlog-checkpoint: the example is read and written back', () => {
  const text = `example.com/behind-the-sofa\n20852163\n${ROOT}\n`;
  const checkpoint = parseCheckpoint(text);
  expect(checkpoint).toEqual({
    origin: 'example.com/behind-the-sofa',
    size: 20_852_163,
    root: Buffer.from(ROOT, 'base64'),
  });
  expect(formatCheckpoint(checkpoint)).toBe(text);
});

test('every checkpoint is read back as it was written', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.uint8Array({ minLength: 32, maxLength: 32 }), (size, root) => {
      const checkpoint = { origin: 'log', size, root: Buffer.from(root) };
      expect(parseCheckpoint(formatCheckpoint(checkpoint))).toEqual(checkpoint);
    }),
  );
});

test.each([
  '',
  ' 5',
  '5 ',
  '+5',
  '-5',
  '-0',
  '007',
  '0x10',
  '1e3',
  '5.0',
  '5n',
  '٥',
  'NaN',
  'Infinity',
  '9007199254740993',
])('%p is no tree size', (size) => {
  expect(() => parseCheckpoint(`log\n${size}\n${ROOT}\n`)).toThrow(
    expect.objectContaining({
      code: 'ERR_EVIDENCE_FORMAT',
      message: 'the checkpoint is not three lines: origin, size, base64 root',
    }),
  );
});

test.each<[string, string]>([
  ['no origin', `\n5\n${ROOT}\n`],
  ['no root', 'log\n5\n\n'],
  ['two lines', 'log\n5\n'],
  ['no last newline', `log\n5\n${ROOT}`],
  ['an extension line', `log\n5\n${ROOT}\nmore\n`],
  ['an empty line', `log\n5\n${ROOT}\n\n`],
  ['CRLF', `log\r\n5\r\n${ROOT}\r\n`],
  ['a short root', `log\n5\n${ROOT.slice(4)}\n`],
  ['base64url', `log\n5\n${ROOT.replace('/', '_')}\n`],
  ['no padding', `log\n5\n${ROOT.slice(0, -1)}\n`],
  ['stray bits', `log\n5\n${ROOT.replace('2I=', '2J=')}\n`],
])('%s is refused', (_what, text) => {
  expect(() => parseCheckpoint(text)).toThrow(
    expect.objectContaining({
      code: 'ERR_EVIDENCE_FORMAT',
      message: 'the checkpoint is not three lines: origin, size, base64 root',
    }),
  );
});

test('a checkpoint of one log under the key of another is refused', () => {
  const key = new TestKey('log.example/a');
  const signed = key.signNote(`log.example/b\n5\n${ROOT}\n`);
  expect(() => verifyCheckpoint(signed, key.verifier)).toThrow(
    expect.objectContaining({
      code: 'ERR_EVIDENCE_SIGNATURE',
      message: 'the checkpoint is of another log than its key',
    }),
  );
});

test('a well signed text that is no checkpoint is refused', () => {
  const key = new TestKey('log.example/a');
  expect(() => verifyCheckpoint(key.signNote('log.example/a\n05\nx\n'), key.verifier)).toThrow(
    expect.objectContaining({ code: 'ERR_EVIDENCE_FORMAT' }),
  );
});
