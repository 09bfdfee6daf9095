/** One DynamoDB table of the data model: `pk` and `sk`, on demand, retained, a generated name. */
import { RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, Billing, StreamViewType, TableEncryptionV2, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import type { TableName } from '../../domain/store/table';
import { pascal } from './names';
import { pinLogicalId, type Stage } from './stage';

interface TableOptions {
  readonly stage: Stage;
  /** @default - no stream */
  readonly stream?: boolean;
  /** @default - the key that DynamoDB owns */
  readonly encryptionKey?: IKey;
  /**
   * Whether deleted items can be brought back for 35 days.
   * @default true
   */
  readonly recoverable?: boolean;
}

/** `ttl` is a courtesy to the bill: DynamoDB deletes up to days late, so every rule asks the item's own times. */
export function curfewTable(scope: Construct, name: TableName, options: TableOptions): TableV2 {
  const table = new TableV2(scope, `${pascal(name)}Table`, {
    partitionKey: { name: 'pk', type: AttributeType.STRING },
    sortKey: { name: 'sk', type: AttributeType.STRING },
    billing: Billing.onDemand(),
    timeToLiveAttribute: 'ttl',
    dynamoStream: options.stream ? StreamViewType.NEW_IMAGE : undefined,
    encryption: options.encryptionKey ? TableEncryptionV2.customerManagedKey(options.encryptionKey) : undefined,
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: options.recoverable ?? true },
    deletionProtection: options.stage === 'production',
    removalPolicy: options.stage === 'production' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
  });
  pinLogicalId(table, `Table${pascal(name)}`);
  return table;
}
