/** The wrapped key of a person is read past the port of the tables: no KMS call is made on one that cannot be read, and none is written over it. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';
import { KmsSealer } from '../../lib/aws/sealer-kms';
import { WRAPPED_KEY } from '../../lib/domain/store/shred';
import { SeededRandom } from '../../lib/local/random';
import { answering } from '../aws/answering';
import { sampleOf } from './samples';
import { spoiltRows } from './spoils';

const { entity, row } = sampleOf(WRAPPED_KEY.name);
const PLACES = { shredKeyArn: 'arn:shred', shredTable: 'T-shred' };

/** As DynamoDB has them on the wire. */
function attributesOf(stored: object) {
  const present = Object.entries(stored).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    present.map(([name, value]) => [name, typeof value === 'number' ? { N: `${value}` } : { S: `${value}` }]),
  );
}

function sealerOver(stored: object) {
  const tables = answering(() => ({ body: { Item: attributesOf(stored) } }));
  const kms = answering(() => ({ body: { Plaintext: Buffer.alloc(32).toString('base64') } }));
  const clients = [new KMSClient(kms.config), new DynamoDBClient(tables.config)] as const;
  return { sealer: new KmsSealer(PLACES, new SeededRandom('dek'), ...clients), tables, kms };
}

test('one that can be read is unwrapped, and nothing is written', async () => {
  const { sealer, tables, kms } = sealerOver(row);
  const sealed = await sealer.seal(row.pk, 'c-1/opened#sealed', 'Zoë');
  expect(await sealer.open(row.pk, 'c-1/opened#sealed', sealed)).toBe('Zoë');
  expect(kms.asked.map(({ operation }) => operation)).toEqual(['Decrypt', 'Decrypt']);
  expect(tables.asked.map(({ operation }) => operation)).toEqual(['GetItem', 'GetItem']);
});

test.each(spoiltRows(entity, row).map(({ what, row: spoilt }) => [what, spoilt] as const))(
  '%s: refused, and KMS is not asked',
  async (_what, spoilt) => {
    const refusal = {
      code: 'ERR_ITEM_INVALID',
      message: expect.stringContaining('table shred has a wrapped key of a person'),
    };
    for (const use of ['seal', 'open'] as const) {
      const { sealer, tables, kms } = sealerOver(spoilt);
      await expect(sealer[use](row.pk, 'c-1/opened#sealed', 'Zoë')).rejects.toMatchObject(refusal);
      expect([tables.asked.map(({ operation }) => operation), kms.asked]).toEqual([['GetItem'], []]);
    }
  },
);
