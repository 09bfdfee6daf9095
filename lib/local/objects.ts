/** S3 in memory: ETags, conditional puts, and a bucket that is written once (as Object Lock keeps every version). */
import { H } from '../domain/base/encoding';
import { CurfewError } from '../domain/base/errors';
import type { Bucket, Right } from '../domain/deployment/rights';
import type { Objects, StoredObject } from '../ports';

type Condition = { readonly ifAbsent: true } | { readonly ifMatch: string };

export class MemoryObjects implements Objects {
  private readonly objects = new Map<string, StoredObject>();

  constructor(private readonly locked: readonly Bucket[] = ['evidence']) {}

  async get(bucket: Bucket, key: string): Promise<StoredObject | undefined> {
    await null;
    const found = this.objects.get(`${bucket}/${key}`);
    return found && { body: Buffer.from(found.body), etag: found.etag };
  }

  async list(bucket: Bucket, prefix: string, after = ''): Promise<string[]> {
    await null;
    const inBucket = [...this.objects.keys()].filter((path) => path.startsWith(`${bucket}/${prefix}`));
    const keys = inBucket.map((path) => path.slice(bucket.length + 1));
    return keys.filter((key) => key > after).sort();
  }

  async put(bucket: Bucket, key: string, body: Uint8Array, condition?: Condition): Promise<void> {
    await null;
    const path = `${bucket}/${key}`;
    const found = this.objects.get(path);
    const absentWanted = condition !== undefined && 'ifAbsent' in condition;
    const versionWanted = condition !== undefined && 'ifMatch' in condition ? condition.ifMatch : undefined;
    if ((absentWanted && found) || (versionWanted !== undefined && found?.etag !== versionWanted))
      throw new CurfewError('ERR_CONDITION_FAILED', `the object ${path} is not as expected; nothing was written`, {
        fix: 'read again and decide again',
      });
    // S3 would keep the first version and serve the second: evidence that two readers see differently.
    if (found && this.locked.includes(bucket))
      throw new CurfewError('ERR_ACCESS_DENIED', `${bucket} is written once; ${key} exists`, {
        fix: 'put it ifAbsent',
      });

    this.objects.set(path, { body: Buffer.from(body), etag: `"${H(body)}"` });
  }

  /** What an accident would do to a bucket that is not locked. */
  lose(bucket: Bucket, key: string): void {
    this.objects.delete(`${bucket}/${key}`);
  }

  /** The same buckets as a caller with these rights sees them. */
  restricted<R extends Right>(rights: readonly string[]): Objects<R> {
    const need = (right: string) => {
      if (!rights.includes(right))
        throw new CurfewError('ERR_RIGHT_MISSING', `the right ${right} is missing`, { got: right, allowed: rights });
    };
    return {
      get: async (bucket: Bucket, key: string) => {
        need(`${bucket}:get`);
        return this.get(bucket, key);
      },
      list: async (bucket: Bucket, prefix: string, after?: string) => {
        need(`${bucket}:list`);
        return this.list(bucket, prefix, after);
      },
      put: async (bucket: Bucket, key: string, body: Uint8Array, condition?: Condition) => {
        need(`${bucket}:put`);
        return this.put(bucket, key, body, condition);
      },
    };
  }
}
