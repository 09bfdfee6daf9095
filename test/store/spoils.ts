/**
 * A good value with one thing wrong, for every thing that can be: each member that it must have left out, each member
 * of another type, one member that nobody knows; at every depth, and in the first element of every list.
 */
import type { Row } from '../../lib/domain/store/table';
import { type AnySchema, branchOf, type JsonSchema, jsonSchemaOf, memberOf } from './schema';

export interface Spoil {
  /** Where, as the refusal names it: `windows.0.iatFrom`. */
  readonly member: string;
  /** What the refusal says of it. */
  readonly says: 'is missing' | 'is not what it must be' | 'is not a member of this version';
  readonly value: unknown;
}

export interface SpoiltRow {
  readonly what: string;
  /** As it could stand in a table: nothing that says it is a row holds of it. */
  readonly row: Row;
}

export const UNKNOWN = 'addedLater';
/** A name in a record is data, and is said only where it could be a name of ours. */
const said = (name: string) => (/^[A-Za-z]\w*$/.test(name) ? name : '*');

/** A whole row with one thing wrong in its members, or in its version. */
export function spoiltRows({ schema, v }: { readonly schema: AnySchema; readonly v: number }, row: Row): SpoiltRow[] {
  const { pk, sk, v: stored, ...members } = row;
  const ofMembers = spoilsOf(jsonSchemaOf(schema), members, 1).map(({ member, says, value }) => ({
    what: `${member} ${says}`,
    row: { pk, sk, v: stored, ...Object(value) },
  }));
  const versions = [undefined, v - 2, v + 1, `${v}`].map((given) => ({
    what: `v is ${JSON.stringify(given) ?? 'missing'}`,
    row: { ...row, v: given },
  }));
  return [...versions, ...ofMembers] as SpoiltRow[];
}

/** Of members of an entity; `depth` 1 stops at the members themselves. */
export function spoilsOf(schema: JsonSchema, value: unknown, depth = Number.POSITIVE_INFINITY): Spoil[] {
  const { properties, required = [], additionalProperties } = branchOf(schema, value);
  const names = Object.keys(properties ?? {});
  const missing = required.map((name): Spoil => ({ member: name, says: 'is missing', value: without(value, name) }));
  const mistyped = names.map(
    (name): Spoil => ({
      member: name,
      says: 'is not what it must be',
      value: withMember(value, name, wrong(properties?.[name] ?? {})),
    }),
  );
  const isOpen = additionalProperties !== undefined && additionalProperties !== false;
  const unknown: Spoil = isOpen
    ? {
        member: UNKNOWN,
        says: 'is not what it must be',
        value: withMember(value, UNKNOWN, wrong(additionalProperties)),
      }
    : { member: UNKNOWN, says: 'is not a member of this version', value: withMember(value, UNKNOWN, 1) };
  const deeper =
    depth <= 1 ? [] : names.flatMap((name) => within(name, name, properties?.[name] ?? {}, value, depth - 1));
  return [...missing, ...mistyped, unknown, ...deeper];
}

/** What can be wrong inside one member, which a refusal spells so. */
function within(name: string, spelled: string, schema: JsonSchema, whole: unknown, depth: number): Spoil[] {
  const value = memberOf(whole, name);
  if (value === undefined) return [];
  return insideOf(branchOf(schema, value), value, depth).map((spoil) => ({
    ...spoil,
    member: `${spelled}.${spoil.member}`,
    value: Array.isArray(whole) ? whole.with(Number(name), spoil.value) : withMember(whole, name, spoil.value),
  }));
}

function insideOf(schema: JsonSchema, value: unknown, depth: number): Spoil[] {
  const { properties, additionalProperties, items } = schema;
  if (properties) return spoilsOf(schema, value, depth);
  if (items) return element('0', '0', items, value, depth);
  const [name] = Object.keys(Object(value));
  return additionalProperties && name !== undefined
    ? element(name, said(name), additionalProperties, value, depth)
    : [];
}

/** One element of a list or of a record: of another type, or wrong inside. */
function element(name: string, spelled: string, schema: JsonSchema, whole: unknown, depth: number): Spoil[] {
  if (memberOf(whole, name) === undefined) return [];
  const other = wrong(schema);
  const value = Array.isArray(whole) ? whole.with(Number(name), other) : withMember(whole, name, other);
  return [{ member: spelled, says: 'is not what it must be', value }, ...within(name, spelled, schema, whole, depth)];
}

/** The nearest that is not of the schema: a number as text, text that is a number. A set is no JSON: DynamoDB has them. */
function wrong({ type, $ref }: JsonSchema): unknown {
  if ($ref) return new Set(['x']);
  if (type === 'string') return 1_800_000_000;
  if (type === 'integer' || type === 'number') return '1800000000';
  if (type === 'boolean') return 'true';
  return type === 'array' ? {} : [];
}

function without(value: unknown, name: string): object {
  return Object.fromEntries(Object.entries(Object(value)).filter(([other]) => other !== name));
}

function withMember(value: unknown, name: string, member: unknown): object {
  return { ...Object(value), [name]: member };
}
