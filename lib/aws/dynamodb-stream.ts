/** What a DynamoDB stream delivers to a Lambda: the items inserted, in order, in the shapes of `domain/table`. */
import { CurfewError, isCurfewError } from '../domain/base/errors';
import type { Row, Value } from '../domain/store/table';

export type Image = Readonly<Record<string, AttributeValue>>;

/** As far as we read it; the new image is in DynamoDB's own JSON. */
interface StreamEvent {
  readonly Records?: readonly {
    readonly eventName?: string;
    readonly dynamodb?: { readonly NewImage?: Image };
  }[];
}

type AttributeValue =
  | { readonly S: string }
  | { readonly N: string }
  | { readonly BOOL: boolean }
  | { readonly NULL: true }
  | { readonly L: readonly AttributeValue[] }
  | { readonly M: Readonly<Record<string, AttributeValue>> };

export function insertedRows(event: unknown): Row[] {
  const { Records } = (event ?? {}) as StreamEvent;
  if (!Array.isArray(Records))
    throw new CurfewError('ERR_INPUT_INVALID', 'the event is not a batch of a DynamoDB stream');

  return (Records as NonNullable<StreamEvent['Records']>).flatMap(({ eventName, dynamodb }) =>
    eventName === 'INSERT' && dynamodb?.NewImage ? [rowOf(dynamodb.NewImage)] : [],
  );
}

/**
 * One foreign row must not keep its batch from being read: it is delivered with its key, and with a member that no version
 * of an entity has. Whoever parses it refuses it, and only it.
 */
export function rowOf(image: Image): Row {
  try {
    return parseMembers(image) as Row;
  } catch (error) {
    if (!isCurfewError(error)) throw error;
    const { pk, sk } = parseMembers(Object.fromEntries(['pk', 'sk'].map((name) => [name, image[name] ?? { S: '' }])));
    return { pk: String(pk), sk: String(sk), v: 1, foreign: JSON.stringify(image) };
  }
}

function parseMembers(members: Readonly<Record<string, AttributeValue>>): { [name: string]: Value } {
  return Object.fromEntries(Object.entries(members).map(([name, value]) => [name, parseValue(value)]));
}

/** Sets and binaries are not in our tables. */
function parseValue(value: AttributeValue): Value {
  if ('S' in value) return value.S;
  if ('N' in value) return Number(value.N);
  if ('BOOL' in value) return value.BOOL;
  if ('NULL' in value) return null;
  if ('L' in value) return value.L.map(parseValue);
  if ('M' in value) return parseMembers(value.M);
  throw new CurfewError('ERR_INPUT_INVALID', 'an attribute has a type that no table uses', {
    got: Object.keys(value),
    allowed: ['S', 'N', 'BOOL', 'NULL', 'L', 'M'],
  });
}
