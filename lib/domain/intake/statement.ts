/**
 * The leaver event: what HR said, in one shape whatever the source.
 *
 *     {"type":"worker.terminated","timestamp":"2026-11-22T09:00:00Z",
 *      "data":{"workerId":"W-1042","effectiveAt":"2026-11-30T18:00:00+09:00","initiatorId":"W-7"}}
 *                                                                                     standard-webhooks
 *     {"employees":[{"id":"1042","timestamp":"2026-11-30T18:00:00+00:00","changedFields":["Status"],
 *                    "fields":{"Status":{"value":"Inactive"},"Employment Status: Date":{"value":"2026-11-30"}}}]}
 *                                                                                     bamboohr
 */
import { isMembers, type Members } from '../base/encoding';
import { CurfewError } from '../base/errors';
import { parseStrictJson } from '../base/strict-json';
import type { Statement, StatementKind } from '../store/inbox';
import type { Scheme } from './schemes';

export const BODY_BYTES_MAX = 256 * 1024;

export type { Statement } from '../store/inbox';

const KIND_OF_TYPE: Readonly<Record<string, StatementKind>> = {
  'worker.terminated': 'termination',
  'worker.contract_ended': 'contract_end',
  'worker.transferred': 'transfer',
  'worker.rescinded': 'rescinded',
  'worker.rehired': 'rehire',
};

const PARSERS: Readonly<Record<Scheme, (body: Members, deliveryId: string) => readonly Statement[]>> = {
  'standard-webhooks': (body, deliveryId) => {
    const type = text(body, 'type');
    const kind = Object.hasOwn(KIND_OF_TYPE, type) ? KIND_OF_TYPE[type] : undefined;
    if (kind === undefined)
      throw statement('the type is not a leaver event', { got: type.slice(0, 64), allowed: Object.keys(KIND_OF_TYPE) });
    parseInstant(text(body, 'timestamp'), 'timestamp');

    const data = object(body.data, 'data');
    const initiator = data.initiatorId === undefined ? undefined : parseWorkerId(data.initiatorId, 'data.initiatorId');
    return [
      {
        kind,
        workerId: parseWorkerId(data.workerId, 'data.workerId'),
        ...parseInstant(text(data, 'effectiveAt'), 'data.effectiveAt'),
        sourceEventId: deliveryId,
        ...(initiator !== undefined && { initiator }),
      },
    ];
  },

  /** Thin: it says who became inactive, and when at best by date. Its statements are read back before anything final. */
  bamboohr: (body, deliveryId) => {
    if (!Array.isArray(body.employees))
      throw statement('"employees" is not an array', { allowed: 'an array of employees' });
    return body.employees.flatMap((entry: unknown, index): Statement[] => {
      const employee = object(entry, `employees[${index}]`);
      const fields = employee.fields === undefined ? {} : object(employee.fields, `employees[${index}].fields`);
      const id =
        typeof employee.id === 'number' && Number.isSafeInteger(employee.id) ? String(employee.id) : employee.id;
      const workerId = parseWorkerId(id, `employees[${index}].id`);
      if (field(fields, 'Status', index) !== 'Inactive') return [];

      const date = field(fields, 'Employment Status: Date', index) ?? '';
      const said = date === '' ? employee.timestamp : `${date}T00:00:00Z`;
      if (typeof said !== 'string')
        throw statement(`employees[${index}] does not say since when`, {
          fix: 'post the field "Employment Status: Date"',
        });
      // BambooHR writes +0000; the colon is the only difference from RFC 3339.
      const instant = parseInstant(said.replace(/([+-]\d\d)(\d\d)$/, '$1:$2'), `employees[${index}] effective instant`);
      return [{ kind: 'termination', workerId, ...instant, sourceEventId: `${deliveryId}/${index}` }];
    });
  },
};

/** The events of one delivery whose signature has been verified; an empty list where it tells of nobody leaving. */
export function parseStatements(scheme: Scheme, rawBody: Uint8Array, deliveryId: string): readonly Statement[] {
  if (rawBody.length > BODY_BYTES_MAX)
    throw new CurfewError('ERR_WEBHOOK_BODY', `the body is larger than ${BODY_BYTES_MAX} bytes`, {
      got: rawBody.length,
      allowed: BODY_BYTES_MAX,
    });
  const body = parseStrictJson(rawBody, 'ERR_WEBHOOK_BODY');
  if (!isMembers(body))
    throw new CurfewError('ERR_WEBHOOK_BODY', 'the body is not a JSON object', { allowed: 'one JSON object' });
  return PARSERS[scheme](body, deliveryId);
}

const INSTANT = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d{1,9})?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;
const EARLIEST = Date.UTC(2000, 0, 1) / 1000;
const LATEST = Date.UTC(2100, 0, 1) / 1000;

/** RFC 3339 with its offset. Without one it would be another instant in each reader's zone. */
function parseInstant(given: string, name: string): { readonly effectiveAt: number; readonly zone: string } {
  const [, local = '', zone = ''] = INSTANT.exec(given) ?? [];
  // Read as UTC and written back, 30 February or 24:00 is not itself any more.
  const wall = Date.parse(`${local}Z`);
  const effectiveAt = Date.parse(`${local}${zone}`) / 1000;
  const exists = !Number.isNaN(wall) && new Date(wall).toISOString().startsWith(local);
  if (!exists || !(effectiveAt >= EARLIEST && effectiveAt < LATEST))
    throw statement(`${name} is not an instant`, {
      got: given.slice(0, 40),
      allowed: '2026-11-30T18:00:00+09:00, from 2000 to 2099',
    });
  return { effectiveAt, zone };
}

const WORKER_ID = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/;

export function parseWorkerId(given: unknown, name: string): string {
  if (typeof given === 'string' && WORKER_ID.test(given)) return given;
  throw statement(`${name} is not a worker id`, { allowed: String(WORKER_ID) });
}

function object(given: unknown, name: string): Members {
  if (isMembers(given)) return given;
  throw statement(`${name} is not an object`);
}

function text(members: Members, name: string): string {
  const given = Object.hasOwn(members, name) ? members[name] : undefined;
  if (typeof given === 'string') return given;
  throw statement(`${name} is not a text`);
}

function field(fields: Members, name: string, index: number): string | undefined {
  if (!Object.hasOwn(fields, name)) return undefined;
  return text(object(fields[name], `employees[${index}].fields["${name}"]`), 'value');
}

function statement(message: string, detail: ConstructorParameters<typeof CurfewError>[2] = {}): CurfewError {
  return new CurfewError('ERR_WEBHOOK_STATEMENT', message, detail);
}
