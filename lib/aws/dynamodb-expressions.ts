/** From `Write` and `Test` to DynamoDB's expressions. Every name and value goes through a placeholder. */
import type { TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import type { Test, Write } from '../domain/store/table';

type TransactItem = NonNullable<TransactWriteCommandInput['TransactItems']>[number];
type Update = Extract<Write, { kind: 'update' }>;

/** Placeholders of one request item: `#0` for a name, `:0` for a value, in order of first use. */
class Placeholders {
  private readonly names = new Map<string, string>();
  private readonly values: unknown[] = [];

  name(attribute: string): string {
    const placeholder = this.names.get(attribute) ?? `#${this.names.size}`;
    this.names.set(attribute, placeholder);
    return placeholder;
  }

  value(value: unknown): string {
    return `:${this.values.push(value) - 1}`;
  }

  /** DynamoDB refuses empty maps. */
  attributes() {
    const names = [...this.names].map(([attribute, placeholder]) => [placeholder, attribute]);
    const values = this.values.map((value, index) => [`:${index}`, value]);
    return {
      ExpressionAttributeNames: names.length > 0 ? Object.fromEntries(names) : undefined,
      ExpressionAttributeValues: values.length > 0 ? Object.fromEntries(values) : undefined,
    };
  }
}

export function toTransactItem(write: Write, TableName: string): TransactItem {
  const to = new Placeholders();
  const ConditionExpression = write.if?.length ? write.if.map((test) => condition(test, to)).join(' AND ') : undefined;

  switch (write.kind) {
    case 'put':
      return { Put: { TableName, Item: write.row, ConditionExpression, ...to.attributes() } };
    case 'delete':
      return { Delete: { TableName, Key: write.key, ConditionExpression, ...to.attributes() } };
    case 'check':
      return { ConditionCheck: { TableName, Key: write.key, ConditionExpression, ...to.attributes() } };
    case 'update': {
      const UpdateExpression = changes(write, to);
      return { Update: { TableName, Key: write.key, UpdateExpression, ConditionExpression, ...to.attributes() } };
    }
  }
}

function condition(test: Test, to: Placeholders): string {
  const name = to.name(test.attribute);
  if ('values' in test) return `${name} IN (${test.values.map((value) => to.value(value)).join(', ')})`;
  if (!('value' in test)) return `${test.is === 'absent' ? 'attribute_not_exists' : 'attribute_exists'}(${name})`;

  const comparison = `${name} ${test.is === '!=' ? '<>' : test.is} ${to.value(test.value)}`;
  if (test.orAbsent) return `(attribute_not_exists(${name}) OR ${comparison})`;
  // `<>` alone also holds for what is not there; no other comparison does.
  return test.is === '!=' ? `(attribute_exists(${name}) AND ${comparison})` : comparison;
}

function changes({ set, remove, add, append }: Update, to: Placeholders): string {
  const sets = Object.entries(set ?? {}).map(([name, value]) => `${to.name(name)} = ${to.value(value)}`);
  for (const [name, tail] of Object.entries(append ?? {})) {
    const list = to.name(name);
    sets.push(`${list} = list_append(if_not_exists(${list}, ${to.value([])}), ${to.value(tail)})`);
  }
  const adds = Object.entries(add ?? {}).map(([name, by]) => `${to.name(name)} ${to.value(by)}`);
  const removes = (remove ?? []).map((name) => to.name(name));

  const clauses: readonly (readonly [string, readonly string[]])[] = [
    ['SET', sets],
    ['ADD', adds],
    ['REMOVE', removes],
  ];
  return clauses.flatMap(([verb, parts]) => (parts.length > 0 ? `${verb} ${parts.join(', ')}` : [])).join(' ');
}
