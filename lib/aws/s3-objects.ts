/** Objects on S3. Writes carry the SDK's checksum, so an object that arrived changed is refused by S3 itself. */
import { GetObjectCommand, NoSuchKey, PutObjectCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
import { CurfewError, type ErrorCode } from '../domain/base/errors';
import type { Bucket } from '../domain/deployment/rights';
import type { Objects, StoredObject } from '../ports';
import { clientSettings } from './client-settings';
import { awsError, calling, errorName } from './errors';
import { jitter, type Pause, pause } from './pause';

export { S3Client };

/** 412: another version stands there. NoSuchKey: If-Match on nothing. 409, ConditionalRequestConflict: see `put`. */
const PUT_CODES: Readonly<Record<string, ErrorCode>> = {
  PreconditionFailed: 'ERR_CONDITION_FAILED',
  NoSuchKey: 'ERR_CONDITION_FAILED',
};
const TRIES = 5;
const PAUSE_MILLISECONDS = { base: 50, longest: 800 };

export class S3Objects implements Objects {
  constructor(
    private readonly bucketName: (bucket: Bucket) => string,
    private readonly s3 = new S3Client(clientSettings()),
    private readonly wait: Pause = pause,
  ) {}

  async get(bucket: Bucket, key: string): Promise<StoredObject | undefined> {
    const request = { Bucket: this.bucketName(bucket), Key: key };
    for (let tried = 1; ; tried++) {
      try {
        const { Body, ETag, ContentLength } = await this.s3.send(new GetObjectCommand(request));
        if (!Body || !ETag) throw new CurfewError('ERR_UNAVAILABLE', 's3 answered without a body or an etag');
        const body = Buffer.from(await Body.transformToByteArray());
        if (ContentLength === undefined || ContentLength === body.length) return { body, etag: ETag };
        // The SDK has ended its own tries when the head of the answer was there: a body that breaks off is ours to ask again.
        if (tried === TRIES)
          throw new CurfewError('ERR_UNAVAILABLE', `get from ${bucket} ended too early`, {
            got: body.length,
            allowed: ContentLength,
            fix: 'ask again',
          });
      } catch (error) {
        if (error instanceof NoSuchKey) return undefined;
        if (error instanceof CurfewError) throw error;
        if (!brokeOff(error) || tried === TRIES) throw awsError(`get from ${bucket}`, error);
      }
      await this.wait(jitter(tried, PAUSE_MILLISECONDS.base, PAUSE_MILLISECONDS.longest));
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

  /**
   * 409 says that another conditional put of this key is under way, and that ours was not done: it is tried again. Once
   * the other one has ended, S3 answers 412 or takes ours. A put whose answer was lost is refused by what it wrote itself:
   * callers read what stands there, and find their own bytes.
   */
  async put(bucket: Bucket, key: string, body: Uint8Array, condition?: Parameters<Objects['put']>[3]): Promise<void> {
    const request = {
      Bucket: this.bucketName(bucket),
      Key: key,
      Body: body,
      IfNoneMatch: condition && 'ifAbsent' in condition ? '*' : undefined,
      IfMatch: condition && 'ifMatch' in condition ? condition.ifMatch : undefined,
    };
    for (let tried = 1; ; tried++) {
      try {
        await this.s3.send(new PutObjectCommand(request));
        return;
      } catch (error) {
        if (errorName(error) !== 'ConditionalRequestConflict') throw awsError(`put to ${bucket}`, error, PUT_CODES);
        if (tried === TRIES) throw inTheWay(bucket, condition, error);
      }
      await this.wait(jitter(tried, PAUSE_MILLISECONDS.base, PAUSE_MILLISECONDS.longest));
    }
  }
}

/** A connection that ended in the middle of a body, by the names that Node gives it. */
function brokeOff(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE' || errorName(error) === 'TimeoutError';
}

/**
 * Who swaps one version for another reads again and decides again, and is told so. Who writes what may be written once
 * would look for what the other one wrote, which is not there yet: it has to come back later.
 */
function inTheWay(bucket: Bucket, condition: Parameters<Objects['put']>[3], cause: unknown): CurfewError {
  const swaps = condition !== undefined && 'ifMatch' in condition;
  const message = `put to ${bucket} met another conditional put of the same key ${TRIES} times; nothing was written`;
  return new CurfewError(swaps ? 'ERR_CONDITION_FAILED' : 'ERR_UNAVAILABLE', message, {
    got: errorName(cause),
    fix: 'read the object again, then decide again',
    cause,
  });
}
