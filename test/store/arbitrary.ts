/** Values of a schema, drawn by fast-check: with and without each member that may be absent, at every depth. */
import fc from 'fast-check';
import type { JsonSchema } from './schema';

export function valuesOf(schema: JsonSchema): fc.Arbitrary<unknown> {
  const { $ref, type, items, properties, additionalProperties, pattern, minimum, maximum } = schema;
  // A member of the name `__proto__` is kept by neither DynamoDB's client nor zod; nobody writes one.
  if ($ref) return fc.jsonValue().filter((value) => !JSON.stringify(value).includes('__proto__'));
  const branches = schema.oneOf ?? schema.anyOf;
  if (branches) return fc.oneof(...branches.map(valuesOf));
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if ('const' in schema) return fc.constant(schema.const);
  if (type === 'string') return pattern === undefined ? fc.string() : fc.stringMatching(new RegExp(pattern));
  if (type === 'integer') return fc.integer({ min: minimum, max: maximum });
  if (type === 'boolean') return fc.boolean();
  if (items) return fc.array(valuesOf(items), { maxLength: 3 });
  if (properties) return membersOf(schema);
  if (additionalProperties)
    return fc.dictionary(fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/), valuesOf(additionalProperties), { maxKeys: 3 });
  throw new Error(`no value is drawn for ${JSON.stringify(schema)}`);
}

function membersOf({ properties = {}, required = [] }: JsonSchema): fc.Arbitrary<object> {
  const drawn = Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, valuesOf(schema)]));
  return fc.record(drawn, { requiredKeys: [...required] });
}
