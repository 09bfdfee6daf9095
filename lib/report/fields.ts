/** Reading members of a record's body without believing their type: a page is also made of evidence that does not hold. */
import type { Json } from '../domain/base/encoding';

export type Members = Readonly<Record<string, Json | undefined>>;

export function text(members: Members | undefined, name: string): string | undefined {
  const value = members?.[name];
  return typeof value === 'string' ? value : undefined;
}

export function whole(members: Members | undefined, name: string): number | undefined {
  const value = members?.[name];
  return Number.isSafeInteger(value) ? (value as number) : undefined;
}

export function object(members: Members | undefined, name: string): Members | undefined {
  const value = members?.[name];
  return isMembers(value) ? value : undefined;
}

/** The objects in a list; what is none is passed over. */
export function objects(members: Members | undefined, name: string): readonly Members[] {
  const value = members?.[name];
  return Array.isArray(value) ? value.filter(isMembers) : [];
}

export function texts(members: Members | undefined, name: string): readonly string[] {
  const value = members?.[name];
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
}

export function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
