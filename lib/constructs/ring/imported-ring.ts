/** A key ring that another app, or another stack's deployment, made: known by the outputs of its signing stack. */
import { ArnFormat, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { CurfewError } from '../../domain/base/errors';
import { type Administration, type AdministrationFunction, SigningKeyRingBase } from './signing-key-ring-base';

export interface SigningKeyRingAttributes {
  readonly ringId: string;
  readonly instance: string;
  /** Output `ApiId` of the signing stack. */
  readonly apiId: string;
  /** Output `PublicBaseUrl`. */
  readonly publicBaseUrl: string;
  /**
   * Outputs `Function…Name` of the Lambdas that administer rings.
   * @default - `grantAdminister` is refused
   */
  readonly functionNames?: Readonly<Record<AdministrationFunction, string>>;
  /**
   * Output `TableKeysName`.
   * @default - `grantAdminister` is refused
   */
  readonly keysTableName?: string;
}

export class ImportedRing extends SigningKeyRingBase {
  readonly ringId: string;
  readonly url: string;
  protected readonly instance: string;
  protected readonly apiId: string;

  constructor(
    scope: Construct,
    id: string,
    private readonly attributes: SigningKeyRingAttributes,
  ) {
    super(scope, id);
    const { ringId, instance, apiId, publicBaseUrl } = attributes;
    this.ringId = ringId;
    this.instance = instance;
    this.url = `${publicBaseUrl}/r/${ringId}`;
    this.apiId = apiId;
  }

  protected administration(): Administration {
    const { ringId, functionNames, keysTableName } = this.attributes;
    if (functionNames === undefined || keysTableName === undefined)
      throw new CurfewError(
        'ERR_CONFIG_INVALID',
        `ring ${ringId} was imported without its functions and its keys table`,
        {
          got: { functionNames, keysTableName },
          allowed: 'the names in the outputs of its signing stack',
          fix: 'give functionNames and keysTableName to fromSigningKeyRingAttributes',
        },
      );
    const stack = Stack.of(this);
    return {
      functionArns: Object.values(functionNames).map((name) =>
        stack.formatArn({
          service: 'lambda',
          resource: 'function',
          resourceName: name,
          arnFormat: ArnFormat.COLON_RESOURCE_NAME,
        }),
      ),
      keysTableArn: stack.formatArn({ service: 'dynamodb', resource: 'table', resourceName: keysTableName }),
    };
  }
}
