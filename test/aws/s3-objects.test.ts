import { Readable } from 'node:stream';
import { S3Client } from '@aws-sdk/client-s3';
import { S3Objects } from '../../lib/aws/s3-objects';
import { type Answer, type Asked, answering, inFrozenTime, notedPauses, timedOut, xmlError } from './answering';

const BYTES = Buffer.from('a tile');
const CONFLICT = xmlError(409, 'ConditionalRequestConflict');

function objectsThat(answer: (asked: Asked, n: number) => Answer, as?: 'sequencer') {
  const { asked, config } = answering(answer, as);
  const { pauses, pause } = notedPauses();
  return { asked, pauses, objects: new S3Objects((bucket) => bucket, new S3Client(config), pause) };
}

function object(body: Buffer | Readable = BYTES, length = BYTES.length): Answer {
  const headers = { etag: '"1"', 'content-length': String(length) };
  return { headers, body: body instanceof Readable ? body : Readable.from([body]) };
}

/** Half of it, and then nothing more. */
function brokenOff(): Readable {
  const halves = async function* () {
    yield BYTES.subarray(0, 3);
    throw Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
  };
  return Readable.from(halves());
}

test.each([{ ifAbsent: true }, { ifMatch: '"1"' }] as const)(
  's3.conflict: a put that met another of the same key is tried again, under the same condition: %j',
  async (condition) => {
    const { asked, pauses, objects } = objectsThat((_, n) => (n < 3 ? CONFLICT : { headers: { etag: '"2"' } }));
    await objects.put('heads', 'checkpoint', BYTES, condition);
    expect(asked).toHaveLength(3);
    expect(pauses).toHaveLength(2);
    const sent = asked.map(({ headers }) => headers['if-none-match'] ?? headers['if-match']);
    expect(sent).toEqual(Array(3).fill('ifAbsent' in condition ? '*' : '"1"'));
  },
);

test('s3.conflict: once the other one has ended, it is the condition that decides', async () => {
  const { asked, objects } = objectsThat((_, n) => (n === 1 ? CONFLICT : xmlError(412, 'PreconditionFailed')));
  await expect(objects.put('heads', 'checkpoint', BYTES, { ifAbsent: true })).rejects.toMatchObject({
    code: 'ERR_CONDITION_FAILED',
  });
  expect(asked).toHaveLength(2);
});

test.each([
  [{ ifMatch: '"1"' }, 'ERR_CONDITION_FAILED', 'who swaps reads again'],
  [{ ifAbsent: true }, 'ERR_UNAVAILABLE', 'who writes once finds nothing yet'],
] as const)('s3.conflict: one that stays is, for %j, %s: %s', async (condition, code, _why) => {
  const { asked, pauses, objects } = objectsThat(() => CONFLICT);
  await expect(objects.put('heads', 'checkpoint', BYTES, condition)).rejects.toMatchObject({
    code,
    message: 'put to heads met another conditional put of the same key 5 times; nothing was written',
  });
  expect(asked).toHaveLength(5);
  expect(Math.max(...pauses)).toBeLessThanOrEqual(800);
});

test.each([
  ['If-Match on nothing', xmlError(404, 'NoSuchKey')],
  ['another version', xmlError(412, 'PreconditionFailed')],
])('%s is a condition that did not hold, and is final', async (_, answer) => {
  const { asked, objects } = objectsThat(() => answer);
  await expect(objects.put('heads', 'checkpoint', BYTES, { ifMatch: '"1"' })).rejects.toMatchObject({
    code: 'ERR_CONDITION_FAILED',
  });
  expect(asked).toHaveLength(1);
});

test('s3.slow-down: reads, lists and puts are tried again', async () => {
  const list = '<ListBucketResult><Contents><Key>a</Key></Contents><IsTruncated>false</IsTruncated></ListBucketResult>';
  const slow = (then: Answer) =>
    objectsThat((_, n) => (n === 1 ? xmlError(503, 'SlowDown') : then), 'sequencer').objects;
  const put = await inFrozenTime(() => slow({}).put('heads', 'k', BYTES));
  expect(put.error).toBeUndefined();
  expect((await inFrozenTime(() => slow(object()).get('heads', 'k'))).value?.body).toEqual(BYTES);
  expect((await inFrozenTime(() => slow({ body: list }).list('heads', ''))).value).toEqual(['a']);
});

test('s3.slow-down: one that stays is no answer', async () => {
  const { asked, objects } = objectsThat(() => xmlError(503, 'SlowDown'), 'sequencer');
  const { error } = await inFrozenTime(() => objects.put('heads', 'k', BYTES));
  expect(error).toMatchObject({ code: 'ERR_UNAVAILABLE', message: 'put to heads was refused: SlowDown' });
  expect(asked).toHaveLength(5);
});

test('a conditional put whose answer was lost is refused by what it wrote itself', async () => {
  const { objects } = objectsThat((_, n) => (n === 1 ? timedOut() : xmlError(412, 'PreconditionFailed')), 'sequencer');
  const { error } = await inFrozenTime(() => objects.put('evidence', 'k', BYTES, { ifAbsent: true }));
  expect(error).toMatchObject({ code: 'ERR_CONDITION_FAILED' });
});

test('an object that is not there is none; a bucket that is not there is an error', async () => {
  expect(await objectsThat(() => xmlError(404, 'NoSuchKey')).objects.get('heads', 'k')).toBeUndefined();
  await expect(objectsThat(() => xmlError(404, 'NoSuchBucket')).objects.get('heads', 'k')).rejects.toMatchObject({
    code: 'ERR_UNAVAILABLE',
    message: 'get from heads was refused: NoSuchBucket',
  });
});

test.each([
  ['breaks off', () => object(brokenOff())],
  ['ends too early', () => object(BYTES.subarray(0, 3))],
])('a body that %s is asked for again, and never taken for the object', async (_, broken) => {
  const { asked, objects } = objectsThat((_asked, n) => (n < 3 ? broken() : object()));
  expect((await objects.get('heads', 'k'))?.body).toEqual(BYTES);
  expect(asked).toHaveLength(3);

  const lasting = objectsThat(() => broken());
  await expect(lasting.objects.get('heads', 'k')).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' });
  expect(lasting.asked).toHaveLength(5);
});
