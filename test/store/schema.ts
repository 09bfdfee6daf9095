/**
 * The schemas of the entities as a test reads them: as JSON Schema, which zod writes. So no test repeats by hand which
 * members there are, and a new one is tried from the day it is declared.
 */
import * as z from 'zod/mini';
import type { Schema } from '../../lib/domain/store/entity';

export type AnySchema = Schema<unknown>;

/** As much of JSON Schema as our schemas come to. */
export interface JsonSchema {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean' | 'null';
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  /** `false`: no other members; a schema: any name, and this. */
  readonly additionalProperties?: JsonSchema | false;
  readonly items?: JsonSchema;
  readonly oneOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  /** Anything that JSON can spell: the one schema of ours that names itself. */
  readonly $ref?: string;
}

export function jsonSchemaOf(schema: AnySchema): JsonSchema {
  return z.toJSONSchema(schema) as JsonSchema;
}

/** The one of several shapes that a value is of; the schema itself where it is of one. */
export function branchOf(schema: JsonSchema, value: unknown): JsonSchema {
  const branches = schema.oneOf ?? schema.anyOf;
  return branches?.find((branch) => hasMembers(branch, value)) ?? branches?.[0] ?? schema;
}

function hasMembers({ properties = {} }: JsonSchema, value: unknown): boolean {
  return Object.entries(properties).every(([name, { const: only, enum: some }]) => {
    const given = memberOf(value, name);
    return (only === undefined || given === only) && (some === undefined || some.includes(given));
  });
}

export function memberOf(value: unknown, name: string): unknown {
  return (Object(value) as Readonly<Record<string, unknown>>)[name];
}
