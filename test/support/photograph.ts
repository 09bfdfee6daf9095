/**
 * A world as it stood, to go back to: every twin's own memory, copied. Closures over the world stay good, because the
 * twins are the same objects before and after.
 *
 *     const before = photograph(world);
 *     await publishFeed({ ring }, world.deps('publisher'));
 *     before.restore();
 */
import type { World } from '../../lib/local/world';

export interface Photograph {
  readonly restore: () => void;
}

type Memory = Readonly<Record<string, unknown>>;

export function photograph(world: World): Photograph {
  const twins = Object.values(world).filter(isTwin);
  const taken = twins.map((twin) => ({ twin, memory: copy({ ...twin }) }));
  // Copied again, so that what happens after is not written into the photograph.
  const restore = () => {
    for (const { twin, memory } of taken) Object.assign(twin, copy(memory));
  };
  return { restore };
}

/** The objects with methods that a world is made of; its configuration and what a test put beside it never change. */
function isTwin(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !isPlain(value);
}

/** Containers are copied; what they hold of another kind (keys, bytes, functions, the clock of a twin) is shared. */
function copy<T>(value: T): T {
  if (value instanceof Map) return new Map([...value].map(([name, held]) => [name, copy(held)])) as T;
  if (value instanceof Set) return new Set(value) as T;
  if (Array.isArray(value)) return value.map(copy) as T;
  if (!isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, held]) => [name, copy(held)])) as T;
}

function isPlain(value: unknown): value is Memory {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
