/**
 * Side by side, until the last one is done, whatever became of the others: the first failure is thrown then. A Lambda
 * that answers while an effect is under way is frozen with it, and the effect is done in the next invocation, or hours
 * later, when nobody reckons with it. Reads that go on do no harm: `Promise.all` is enough for them.
 */
export async function together<T>(effects: readonly Promise<T>[]): Promise<void> {
  const outcomes = await Promise.allSettled(effects);
  const failure = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failure) throw failure.reason;
}

/** The same of a list, so many at a time. */
export async function fewAtOnce<T>(
  list: readonly T[],
  width: number,
  effect: (one: T) => Promise<unknown>,
): Promise<void> {
  const failures: unknown[] = [];
  for (let n = 0; n < list.length; n += width) {
    const outcomes = await Promise.allSettled(list.slice(n, n + width).map(effect));
    failures.push(...outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : [])));
  }
  if (failures.length > 0) throw failures[0];
}
