/** Objects on S3. Writes carry the SDK's checksum, so an object that arrived changed is refused by S3 itself. */
import { GetObjectCommand, NoSuchKey, PutObjectCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
import { CurfewError, type ErrorCode } from '../domain/base/errors';
import type { Bucket } from '../domain/deployment/rights';
import type { Objects, StoredObject } from '../ports';
import { awsError, calling } from './errors';

/** 412: another version stands there. 409: another conditional write of this key was under way. NoSuchKey: If-Match on nothing. */
const PUT_CODES: Readonly<Record<string, ErrorCode>> = {
  PreconditionFailed: 'ERR_CONDITION_FAILED',
  ConditionalRequestConflict: 'ERR_CONDITION_FAILED',
  NoSuchKey: 'ERR_CONDITION_FAILED',
};

export class S3Objects implements Objects {
  constructor(
    private readonly bucketName: (bucket: Bucket) => string,
    private readonly s3 = new S3Client({}),
  ) {}

  async get(bucket: Bucket, key: string): Promise<StoredObject | undefined> {
    try {
      const request = new GetObjectCommand({ Bucket: this.bucketName(bucket), Key: key });
      const { Body, ETag } = await this.s3.send(request);
      if (!Body || !ETag) throw new CurfewError('ERR_UNAVAILABLE', 's3 answered without a body or an etag');
      return { body: Buffer.from(await Body.transformToByteArray()), etag: ETag };
    } catch (error) {
      if (error instanceof NoSuchKey) return undefined;
      throw error instanceof CurfewError ? error : awsError(`get from ${bucket}`, error);
    }
  }

  async list(bucket: Bucket, prefix: string, after?: string): Promise<string[]> {
    const request = { Bucket: this.bucketName(bucket), Prefix: prefix, StartAfter: after };
    return calling(`list ${bucket}`, async () => {
      const keys: string[] = [];
      for await (const { Contents } of paginateListObjectsV2({ client: this.s3 }, request))
        keys.push(...(Contents ?? []).flatMap(({ Key }) => Key ?? []));
      return keys;
    });
  }

  async put(bucket: Bucket, key: string, body: Uint8Array, condition?: Parameters<Objects['put']>[3]): Promise<void> {
    const request = new PutObjectCommand({
      Bucket: this.bucketName(bucket),
      Key: key,
      Body: body,
      IfNoneMatch: condition && 'ifAbsent' in condition ? '*' : undefined,
      IfMatch: condition && 'ifMatch' in condition ? condition.ifMatch : undefined,
    });
    await calling(`put to ${bucket}`, () => this.s3.send(request), PUT_CODES);
  }
}
