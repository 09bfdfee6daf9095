/**
 * What HR said, in one shape whatever the source.
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
import type { HrSource } from '../store/hr-sources';
import type { Statement, StatementKind } from '../store/inbox';
import { endOfDay } from './day';
import type { Scheme } from './schemes';
import { parseWorkerId } from './worker-id';

export const BODY_BYTES_MAX = 256 * 1024;
/** A statement said later than this after its receipt is not taken yet: the clocks are apart, or somebody plants it. */
const SAID_AHEAD_SECONDS_MAX = 60;

export type { Statement } from '../store/inbox';

const KIND_OF_TYPE: Readonly<Record<string, StatementKind>> = {
  'worker.terminated': 'termination',
  'worker.contract_ended': 'contract_end',
  'worker.suspended': 'suspension',
  'worker.transferred': 'transfer',
  'worker.on_leave': 'leave',
  'worker.rescinded': 'rescinded',
  'worker.rehired': 'rehire',
};

/** What of a source decides how its statements read. */
export type SpeakingSource = Pick<HrSource, 'scheme' | 'zone' | 'dateMeans'>;

/** A delivery whose signature has been verified. */
interface SignedBody {
  readonly rawBody: Uint8Array;
  readonly deliveryId: string;
  /** Epoch seconds. */
  readonly receivedAt: number;
}

type Parse = (body: Members, source: SpeakingSource, of: SignedBody) => readonly Statement[];

const PARSERS: Readonly<Record<Scheme, Parse>> = {
  'standard-webhooks': (body, source, { deliveryId }) => {
    const type = text(body, 'type');
    const kind = Object.hasOwn(KIND_OF_TYPE, type) ? KIND_OF_TYPE[type] : undefined;
    if (kind === undefined)
      throw statement('the type is not a leaver event', { got: type.slice(0, 64), allowed: Object.keys(KIND_OF_TYPE) });
    const { at: saidAt } = parseInstant(text(body, 'timestamp'), 'timestamp');

    const data = object(body.data, 'data');
    const initiator = data.initiatorId === undefined ? undefined : parseWorkerId(data.initiatorId, 'data.initiatorId');
    const employment = data.employmentId === undefined ? undefined : parseEmployment(data.employmentId);
    const { at: effectiveAt, zone } = parseInstantOrDay(text(data, 'effectiveAt'), 'data.effectiveAt', source);
    return [
      {
        kind,
        workerId: parseWorkerId(data.workerId, 'data.workerId'),
        saidAt,
        timedBy: 'event',
        effectiveAt,
        meaning: source.dateMeans ?? 'access-end',
        zone,
        sourceEventId: deliveryId,
        ...(employment !== undefined && { employment }),
        ...(initiator !== undefined && { initiator }),
      },
    ];
  },

  /** Thin: it says who is inactive now, and perhaps since when. */
  bamboohr: (body, source, { deliveryId, receivedAt }) => {
    if (!Array.isArray(body.employees))
      throw statement('"employees" is not an array', { allowed: 'an array of employees' });
    return body.employees.flatMap((entry: unknown, index): Statement[] => {
      const name = `employees[${index}]`;
      const employee = object(entry, name);
      const fields = employee.fields === undefined ? {} : object(employee.fields, `${name}.fields`);
      const workerId = parseWorkerId(employee.id, `${name}.id`);
      if (field(fields, 'Status', index) !== 'Inactive') return [];

      const said = employee.timestamp === undefined ? undefined : parseBambooInstant(employee.timestamp, name);
      const saidAt = said?.at ?? receivedAt;
      const date = field(fields, 'Employment Status: Date', index) ?? '';
      const day = date === '' ? undefined : parseInstantOrDay(date, `${name} effective day`, source);
      return [
        {
          kind: 'termination',
          workerId,
          saidAt,
          timedBy: said === undefined ? 'receipt' : 'event',
          // Who is inactive now has left now, whatever day stands beside it.
          effectiveAt: Math.min(day?.at ?? saidAt, saidAt),
          meaning: source.dateMeans ?? 'access-end',
          zone: day?.zone ?? said?.zone ?? 'Z',
          sourceEventId: `${deliveryId}/${index}`,
        },
      ];
    });
  },
};

/** The statements of one delivery; an empty list where it tells of nobody leaving. */
export function parseStatements(source: SpeakingSource, signed: SignedBody): readonly Statement[] {
  const { rawBody, receivedAt } = signed;
  if (rawBody.length > BODY_BYTES_MAX)
    throw new CurfewError('ERR_WEBHOOK_BODY', `the body is larger than ${BODY_BYTES_MAX} bytes`, {
      got: rawBody.length,
      allowed: BODY_BYTES_MAX,
    });
  const body = parseStrictJson(rawBody, 'ERR_WEBHOOK_BODY');
  if (!isMembers(body))
    throw new CurfewError('ERR_WEBHOOK_BODY', 'the body is not a JSON object', { allowed: 'one JSON object' });
  const statements = PARSERS[source.scheme](body, source, signed);
  const ahead = Math.max(0, ...statements.map(({ saidAt }) => saidAt - receivedAt));
  if (ahead > SAID_AHEAD_SECONDS_MAX)
    throw new CurfewError('ERR_WEBHOOK_SAID_AHEAD', 'a statement says that it was made in the future', {
      got: ahead,
      allowed: SAID_AHEAD_SECONDS_MAX,
      fix: 'send it again when its time has come, or set the clock of the sender',
    });
  return statements;
}

const INSTANT = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d{1,9})?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;
const DAY = /^\d{4}-\d\d-\d\d$/;
const EARLIEST = Date.UTC(2000, 0, 1) / 1000;
const LATEST = Date.UTC(2100, 0, 1) / 1000;

interface Instant {
  readonly at: number;
  readonly zone: string;
}

/** RFC 3339 with its offset. Without one it would be another instant in each reader's zone. */
function parseInstant(given: string, name: string): Instant {
  const [, local = '', zone = ''] = INSTANT.exec(given) ?? [];
  // Read as UTC and written back, 30 February or 24:00 is not itself any more.
  const wall = Date.parse(`${local}Z`);
  const at = Date.parse(`${local}${zone}`) / 1000;
  const exists = !Number.isNaN(wall) && new Date(wall).toISOString().startsWith(local);
  if (!exists || !isInRange(at))
    throw statement(`${name} is not an instant`, {
      got: given.slice(0, 40),
      allowed: '2026-11-30T18:00:00+09:00, from 2000 to 2099',
    });
  return { at, zone };
}

/** A bare day is its end, in the time zone that the deployment gave the source. */
function parseInstantOrDay(given: string, name: string, { zone }: SpeakingSource): Instant {
  if (!DAY.test(given)) return parseInstant(given, name);
  const exists = new Date(`${given}T00:00:00Z`).toJSON()?.startsWith(given) ?? false;
  if (!exists || !isInRange(Date.parse(`${given}T00:00:00Z`) / 1000))
    throw statement(`${name} is not a day`, { got: given, allowed: '2026-11-30, from 2000 to 2099' });
  if (zone === undefined)
    throw statement(`${name} is a bare day, and the source has no time zone`, {
      got: given,
      fix: 'set `zone` of the source in the configuration, as Asia/Seoul, and deploy',
    });
  return { at: endOfDay(given, zone), zone };
}

function isInRange(at: number): boolean {
  return at >= EARLIEST && at < LATEST;
}

/** BambooHR writes +0000; the colon is the only difference from RFC 3339. */
function parseBambooInstant(given: unknown, name: string): Instant {
  if (typeof given !== 'string') throw statement(`${name}.timestamp is not a text`);
  return parseInstant(given.replace(/([+-]\d\d)(\d\d)$/, '$1:$2'), `${name}.timestamp`);
}

function parseEmployment(given: unknown): string {
  if (typeof given === 'string' && /^[\w.:-]{1,64}$/.test(given)) return given;
  throw statement('data.employmentId is not an id of a contract', { allowed: '1 to 64 letters, digits, _ . : -' });
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
