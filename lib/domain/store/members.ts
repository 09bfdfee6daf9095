/** Members under a schema: what they are, or which one is wrong, by its name. Never a value, because it may be anybody's. */
import * as z from 'zod/mini';

export type Schema<V> = z.ZodMiniType<V>;

/** Which member is wrong, spelled as a path: `windows.0.iatFrom`; and what of it: `is missing`. */
interface Wrong {
  readonly member: string;
  readonly what: string;
}

type Checked<M> = { readonly members: M } | Wrong;

export function checkMembers<M>(schema: Schema<M>, given: unknown): Checked<M> {
  const result = z.safeParse(schema, given);
  if (result.success) return { members: result.data };
  const [issue] = result.error.issues;
  const path = (issue?.path ?? []).map(String);
  if (issue?.code === 'unrecognized_keys')
    return { member: spell([...path, issue.keys[0] ?? '']), what: 'is not a member of this version' };
  const isMissing = path.length > 0 && valueAt(given, path) === undefined;
  return { member: spell(path) || 'the whole', what: isMissing ? 'is missing' : 'is not what it must be' };
}

/** Names as ours are, and places in a list. What else a row or a record in it uses as a name is data as well. */
const OUR_NAME = /^([A-Za-z][A-Za-z0-9]{0,39}|\d{1,4})$/;

function spell(path: readonly string[]): string {
  return path.map((name) => (OUR_NAME.test(name) ? name : '*')).join('.');
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((found, name) => Object.entries(Object(found)).find(([own]) => own === name)?.[1], value);
}
