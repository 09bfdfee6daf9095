/** The key of a person, whose row is not written by a transaction: what a lost answer leaves, and who wins. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';
import { KmsSealer } from '../../lib/aws/sealer-kms';
import { SeededRandom } from '../../lib/local/random';
import { answering, inFrozenTime, timedOut } from './answering';

const PLACES = { shredKeyArn: 'arn:shred', shredTable: 'T-shred' };
const PSEUDONYM = 'p-1';

/** Each wrapped key is a number of its own, and opens to a data key of its own. */
function sealer(lost: 'nothing' | 'PutItem') {
  let stored: unknown;
  let lose = lost === 'PutItem';
  const tables = answering(({ operation, input }) => {
    if (operation === 'GetItem') return { body: stored === undefined ? {} : { Item: stored } };
    if (stored !== undefined) return { status: 400, body: { __type: 'ConditionalCheckFailedException' } };
    stored = input.Item;
    if (!lose) return { body: {} };
    lose = false;
    return timedOut();
  }, 'conductor');
  let made = 0;
  const kms = answering(({ operation, input }) =>
    operation === 'Decrypt'
      ? { body: { Plaintext: Buffer.alloc(32, String(input.CiphertextBlob)).toString('base64') } }
      : { body: { CiphertextBlob: Buffer.from(`wrapped ${made++}`).toString('base64') } },
  );
  const clients = [new KMSClient(kms.config), new DynamoDBClient(tables.config)] as const;
  return { tables, kms, sealer: new KmsSealer(PLACES, new SeededRandom('dek'), ...clients) };
}

test('dynamodb.lost-answer: a put that is refused by what it wrote itself finds its own key', async () => {
  const { tables, kms, sealer: first } = sealer('PutItem');
  const { value: sealed = '' } = await inFrozenTime(() => first.seal(PSEUDONYM, 'c', 'Zoë'));
  expect(tables.asked.map(({ operation }) => operation)).toEqual(['GetItem', 'PutItem', 'PutItem', 'GetItem']);
  expect(await first.open(PSEUDONYM, 'c', sealed)).toBe('Zoë');
  expect(kms.asked.filter(({ operation }) => operation === 'GenerateDataKey')).toHaveLength(1);
});

test('of two first seals of one person, the loser seals under the key of the winner', async () => {
  const { sealer: one } = sealer('nothing');
  const [a, b] = await Promise.all([one.seal(PSEUDONYM, 'c', 'Zoë'), one.seal(PSEUDONYM, 'c', 'Ada')]);
  expect(await one.open(PSEUDONYM, 'c', a)).toBe('Zoë');
  expect(await one.open(PSEUDONYM, 'c', b)).toBe('Ada');
});
