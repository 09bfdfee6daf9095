/** A ring of the test's own in the deployed instance, born as a deploy bears one, and what its users do with it. */

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DisableKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { DeleteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { verifierConfig } from '../../../bin/commands/verifier';
import type { Instance } from '../../../bin/edge/instance';
import type { Credentials } from '../../../demo/cast';
import { type Asker, fetchTextPatiently } from '../../../demo/patience';
import { exchange, issue } from '../../../demo/tokens';
import { parseCalleeError } from '../../../lib/aws/callee-error';
import type { SigningAlgorithm } from '../../../lib/domain/jose/algorithm';
import { parseRingConfig, type RingConfig } from '../../../lib/domain/rings/configuration';
import { activeKey, type KeyRecord, type Ring } from '../../../lib/domain/rings/ring';
import { RING_ENTRY } from '../../../lib/domain/store/ring-head';
import { RING_KEY } from '../../../lib/domain/store/ring-key';
import type { VerifierOptions } from '../../../lib/verifier';
import { loadRing } from '../../../lib/work/rings/load-ring';

/** Largest declared cache of a JWKS; with the demo's propagation of 1 s, a STANDBY waits 5 s. */
export const CACHE_SECONDS = 4;
export const LIFE_SECONDS = 120;
/** The demo's setting is the shortest there is. */
export const POLL_SECONDS = 1;

export class TestRing {
  private constructor(
    readonly instance: Instance,
    readonly config: RingConfig,
    readonly verifierOptions: VerifierOptions,
    private readonly backend: Credentials,
  ) {}

  static async born(
    instance: Instance,
    backend: Credentials,
    given: { readonly id: string; readonly algorithm: SigningAlgorithm },
  ): Promise<TestRing> {
    const config = parseRingConfig({
      issuer: `https://login.shop.example/${given.id}`,
      audience: 'https://api.shop.example',
      periodSeconds: 86_400,
      maxTtlSeconds: LIFE_SECONDS,
      verifiers: [{ name: 'jose', cacheSeconds: CACHE_SECONDS }],
      ...given,
    });
    await deployRing(instance, 'Create', config);
    const options = await verifierConfig(instance, config.id);
    return new TestRing(instance, config, { ...options, pollSeconds: POLL_SECONDS }, backend);
  }

  get id(): string {
    return this.config.id;
  }

  load(): Promise<Ring> {
    return loadRing(this.instance, this.id);
  }

  /** Over the HTTP API, with the access key of the shop's back end; who counts refusals asks `once`. */
  issue(sub: string, ask?: Asker): Promise<string> {
    return issue(this.verifierOptions, this.backend, sub, this.config.maxTtlSeconds, ask);
  }

  exchange(token: string): Promise<string> {
    return exchange(this.verifierOptions, token);
  }

  async jwksKids(): Promise<string[]> {
    const url = `${this.verifierOptions.publicBaseUrl}/r/${this.id}/.well-known/jwks.json`;
    const { keys } = JSON.parse(await fetchTextPatiently(url)) as { keys: { kid: string }[] };
    return keys.map(({ kid }) => kid);
  }

  /**
   * Makes the rotation due. The emulator's clock cannot be moved, so the one date that the question is asked of is:
   * the ACTIVE key has been signing for a period, as it would have been then. Nothing else of the ring is touched.
   */
  async makeRotationDue(): Promise<void> {
    const { activeKid: kid = '', cfg } = await this.load();
    await this.setDate('activatedAt = activatedAt - :seconds', cfg.periodSeconds, { kid, state: 'ACTIVE' });
  }

  /** The same with the end of a key that verifies on: until then is an hour and more. */
  async makeVerifyingEnd(kid: string, at: number): Promise<void> {
    await this.setDate('verifyUntil = :seconds', at, { kid, state: 'VERIFY_ONLY' });
  }

  private async setDate(date: string, seconds: number, { kid, state }: Pick<KeyRecord, 'kid' | 'state'>) {
    await new DynamoDBClient({}).send(
      new UpdateCommand({
        TableName: this.instance.output('TableKeysName'),
        Key: RING_KEY.key(this.id, kid),
        UpdateExpression: `SET ${date}`,
        ConditionExpression: '#state = :state',
        ExpressionAttributeNames: { '#state': 'state' },
        ExpressionAttributeValues: { ':seconds': seconds, ':state': state },
      }),
    );
  }
}

/** What CloudFormation sends for `Custom::CurfewRing`; throws the refusal as it would fail the deploy. */
export async function deployRing(
  instance: Instance,
  RequestType: 'Create' | 'Update',
  config: RingConfig,
): Promise<void> {
  const event = { RequestType, PhysicalResourceId: config.id, ResourceProperties: { ring: JSON.stringify(config) } };
  const { FunctionError, Payload } = await new LambdaClient({}).send(
    new InvokeCommand({ FunctionName: instance.output('FunctionRingDeployerName'), Payload: JSON.stringify(event) }),
  );
  if (!FunctionError) return;
  throw parseCalleeError('ring-deployer', JSON.parse(Buffer.from(Payload ?? []).toString()).errorMessage);
}

/** A ring without a schedule, at the end of its test: no key of it can sign, and the list of rings has it no more. */
export async function forgetRing(instance: Instance, ring: string): Promise<void> {
  const kmsKeyArn = activeKey(await loadRing(instance, ring))?.kmsKeyArn;
  if (kmsKeyArn) await new KMSClient({}).send(new DisableKeyCommand({ KeyId: kmsKeyArn }));
  const TableName = instance.output('TableKeysName');
  await new DynamoDBClient({}).send(new DeleteCommand({ TableName, Key: RING_ENTRY.key(ring) }));
}
