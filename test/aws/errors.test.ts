/** What an SDK call that failed is called: refused by AWS, or never answered. */
import { awsError } from '../../lib/aws/errors';

const thrown = (name: string, more: object = {}) =>
  Object.assign(new Error('arn:aws:iam::1:user/mallory'), { name, ...more });

test('an answer of AWS is named by its name, and its text, which may name people, is left out', () => {
  expect(awsError('iam GetUser', thrown('AccessDenied'))).toMatchObject({
    code: 'ERR_ACCESS_DENIED',
    message: 'iam GetUser was refused: AccessDenied',
    got: 'AccessDenied',
  });
});

test.each(['ECONNREFUSED', 'DEPTH_ZERO_SELF_SIGNED_CERT'])('where no answer came at all, %s says why', (code) => {
  expect(awsError('describe stack', thrown('Error', { code }))).toMatchObject({
    code: 'ERR_UNAVAILABLE',
    message: `describe stack got no answer: ${code}`,
    got: code,
  });
});

test.each([[undefined], [7], ['NotFound'], ['arn:aws:iam::1:user/mallory']])('%j is no code of Node', (code) => {
  expect(awsError('describe stack', thrown('Throttling', { code })).message).toBe(
    'describe stack was refused: Throttling',
  );
});
