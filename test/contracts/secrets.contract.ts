/** What every Secrets owes its callers. */
import type { Secrets } from '../../lib/ports';

export interface SecretsHarness {
  /** Reads as a cold process would. */
  fresh(): Secrets;
  rotate(name: string, value: string): Promise<void>;
}

export function secretsContract(make: () => SecretsHarness): void {
  test('after a rotation both values are live, newest first; after the next the oldest is not', async () => {
    const harness = make();
    await harness.rotate('pepper', 'one');
    expect(await harness.fresh().values('pepper')).toEqual(['one']);
    await harness.rotate('pepper', 'two');
    expect(await harness.fresh().values('pepper')).toEqual(['two', 'one']);
    await harness.rotate('pepper', 'three');
    expect(await harness.fresh().values('pepper')).toEqual(['three', 'two']);
  });

  test('a secret that is not configured is said not to exist', async () => {
    await expect(make().fresh().values('nowhere')).rejects.toMatchObject({
      code: 'ERR_NOT_FOUND',
      message: 'unknown secret',
      got: 'nowhere',
    });
  });
}
