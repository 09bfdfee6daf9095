import fc from 'fast-check';
import { isCurfewError } from '../../../lib/domain/base/errors';
import type { Scheme } from '../../../lib/domain/intake/schemes';
import { BODY_BYTES_MAX, parseStatements, type SpeakingSource } from '../../../lib/domain/intake/statement';

const FACT = {
  type: 'worker.terminated',
  timestamp: '2026-11-22T09:00:00Z',
  data: { workerId: 'W-1042', effectiveAt: '2026-11-30T18:00:00+09:00', initiatorId: 'W-7' },
};
const EFFECTIVE = Date.parse('2026-11-30T09:00:00Z') / 1000;

const SAID = Date.parse('2026-11-22T09:00:00Z') / 1000;
const RECEIVED = SAID + 60;

const parse = (
  body: unknown,
  scheme: Scheme = 'standard-webhooks',
  more: Partial<SpeakingSource> = { zone: 'Asia/Seoul' },
) =>
  parseStatements(
    { scheme, ...more },
    {
      rawBody: Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
      deliveryId: 'msg_1',
      receivedAt: RECEIVED,
    },
  );

function refusal(body: unknown, scheme?: Scheme): [code: string, message: string] {
  try {
    parse(body, scheme);
  } catch (error) {
    if (isCurfewError(error)) return [error.code, error.message];
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('standard-webhooks', () => {
  test('the effective instant is the one HR wrote, with its offset, and never the time of receipt', () => {
    expect(parse(FACT)).toEqual([
      {
        kind: 'termination',
        workerId: 'W-1042',
        saidAt: SAID,
        timedBy: 'event',
        effectiveAt: EFFECTIVE,
        meaning: 'access-end',
        zone: '+09:00',
        sourceEventId: 'msg_1',
        initiator: 'W-7',
      },
    ]);
  });

  test.each([
    ['worker.terminated', 'termination'],
    ['worker.contract_ended', 'contract_end'],
    ['worker.suspended', 'suspension'],
    ['worker.transferred', 'transfer'],
    ['worker.on_leave', 'leave'],
    ['worker.rescinded', 'rescinded'],
    ['worker.rehired', 'rehire'],
  ])('%s is a %s', (type, kind) => {
    expect(parse({ ...FACT, type })[0]?.kind).toBe(kind);
  });

  test('what we do not know of is not read: a sender may add to its statements', () => {
    expect(parse({ ...FACT, version: 2, data: { ...FACT.data, department: 'auth' } })).toEqual(parse(FACT));
  });

  test.each([
    ['', 'the body is empty'],
    ['null', 'the body is not a JSON object'],
    ['true', 'the body is not a JSON object'],
    ['0', 'the body is not a JSON object'],
    ['""', 'the body is not a JSON object'],
    ['[]', 'the body is not a JSON object'],
    [`[${JSON.stringify(FACT)}]`, 'the body is not a JSON object'],
    ['{', 'the body is not JSON'],
    ["{'type':1}", 'the body is not JSON'],
    ['{"type":"worker.terminated",}', 'the body is not JSON'],
    [`${JSON.stringify(FACT)}\n{}`, 'the body is not JSON'],
    ['type=worker.terminated', 'the body is not JSON'],
    [`\uFEFF${JSON.stringify(FACT)}`, 'the body begins with a byte order mark'],
    [Buffer.from(JSON.stringify(FACT), 'utf16le'), 'the body is not JSON'],
    [Buffer.from([0xff, 0xfe, 0x7b, 0x00]), 'the body is not valid UTF-8'],
    [Buffer.concat([Buffer.from('{"type":"'), Buffer.from([0xe9]), Buffer.from('"}')]), 'the body is not valid UTF-8'],
    ['{"type":"a","type":"b"}', 'an object in the body names a member twice'],
    ['{"data":{"workerId":"W-1","\\u0077orkerId":"W-2"}}', 'an object in the body names a member twice'],
    [JSON.stringify(FACT).padEnd(1_000_000), `the body is larger than ${BODY_BYTES_MAX} bytes`],
  ])('%# a body that could be read in two ways, or in none, is refused', (body, message) => {
    expect(refusal(body)).toEqual(['ERR_WEBHOOK_BODY', message]);
  });

  test('a name that stands in two objects is not named twice', () => {
    expect(
      parse(
        '{"type":"worker.terminated","timestamp":"2026-11-22T09:00:00Z","data":{"workerId":"W-1","effectiveAt":"2026-11-22T09:00:00Z","x":{"type":"\\"{:,"},"y":[{"type":1},{"type":1}]}}',
      ),
    ).toHaveLength(1);
  });

  test.each([
    [{ ...FACT, type: undefined }, 'type is not a text'],
    [{ ...FACT, type: ['worker.terminated'] }, 'type is not a text'],
    [{ ...FACT, type: 'worker.updated' }, 'the type is not a leaver event'],
    [{ ...FACT, type: 'constructor' }, 'the type is not a leaver event'],
    [{ ...FACT, timestamp: 1_700_000_000 }, 'timestamp is not a text'],
    [{ ...FACT, timestamp: 'yesterday' }, 'timestamp is not an instant'],
    [{ ...FACT, data: null }, 'data is not an object'],
    [{ ...FACT, data: [FACT.data] }, 'data is not an object'],
    [{ ...FACT, data: { effectiveAt: FACT.data.effectiveAt } }, 'data.workerId is not a worker id'],
    [{ ...FACT, data: { ...FACT.data, workerId: '' } }, 'data.workerId is not a worker id'],
    [{ ...FACT, data: { ...FACT.data, workerId: 'W-1042\u0000' } }, 'data.workerId is not a worker id'],
    [{ ...FACT, data: { ...FACT.data, workerId: 'W'.repeat(129) } }, 'data.workerId is not a worker id'],
    [{ ...FACT, data: { ...FACT.data, initiatorId: null } }, 'data.initiatorId is not a worker id'],
  ])('%# a statement of another shape is refused by the name of the member', (body, message) => {
    expect(refusal(body)).toEqual(['ERR_WEBHOOK_STATEMENT', message]);
  });

  test.each([
    '',
    '2026-11-3',
    '2026-11-30T18:00:00',
    '2026-11-30 18:00:00Z',
    '2026-11-30T18:00Z',
    '2026-11-30T18:00:00z',
    '2026-11-30T18:00:00+0900',
    '2026-11-30T18:00:00+24:00',
    '2026-02-30T18:00:00Z',
    '2026-11-30T24:00:00Z',
    '2026-11-30T18:60:00Z',
    '1999-12-31T23:59:59Z',
    '2100-01-01T00:00:00Z',
    '2026-11-30T18:00:00Z\n',
    '٢٠٢٦-11-30T18:00:00Z',
  ])('%p is not an instant', (effectiveAt) => {
    expect(refusal({ ...FACT, data: { ...FACT.data, effectiveAt } })).toEqual([
      'ERR_WEBHOOK_STATEMENT',
      'data.effectiveAt is not an instant',
    ]);
  });

  test('every instant in any offset is the same instant', () => {
    const offset = fc.integer({ min: -14 * 60, max: 14 * 60 });
    fc.assert(
      fc.property(fc.integer({ min: 946_771_200, max: 4_102_358_400 }), offset, (at, minutes) => {
        const local = new Date((at + minutes * 60) * 1000).toISOString().slice(0, 19);
        const [h, m] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60].map((n) =>
          String(n).padStart(2, '0'),
        );
        const effectiveAt = `${local}${minutes < 0 ? '-' : '+'}${h}:${m}`;
        expect(parse({ ...FACT, data: { ...FACT.data, effectiveAt } })[0]?.effectiveAt).toBe(at);
      }),
    );
  });
});

describe('bamboohr', () => {
  const inactive = {
    id: '5',
    changedFields: ['Status'],
    fields: { Status: { value: 'Inactive' }, 'Employment Status: Date': { value: '2026-11-30' } },
  };
  const parseBamboo = (employees: unknown) => parse({ employees }, 'bamboohr');

  test('an employee who is Inactive has left; the others of the delivery have not', () => {
    const active = { ...inactive, id: '6', fields: { Status: { value: 'Active' } } };
    const renamed = { id: '7', changedFields: ['First name'], fields: { 'First name': { value: 'Tefi' } } };
    expect(parseBamboo([active, inactive, renamed])).toEqual([
      {
        kind: 'termination',
        workerId: '5',
        saidAt: RECEIVED,
        timedBy: 'receipt',
        // Inactive now, whatever day stands beside it.
        effectiveAt: RECEIVED,
        meaning: 'access-end',
        zone: 'Asia/Seoul',
        sourceEventId: 'msg_1/1',
      },
    ]);
  });

  test('fusebit/integrations test/mock/webhook-event.json tells of nobody leaving', () => {
    const fields = { 'Employee #': { value: '300' }, 'First name': { value: 'Tefi' }, 'Last name': { value: 'Adams' } };
    expect(parseBamboo([{ changedFields: ['First name'], fields, id: '5' }])).toEqual([]);
  });

  test('without a date of the status, the instant of the change counts', () => {
    const fields = { Status: { value: 'Inactive' } };
    expect(parseBamboo([{ id: 5, timestamp: '2026-01-31T18:42:00+0000', fields }])[0]).toMatchObject({
      workerId: '5',
      effectiveAt: Date.parse('2026-01-31T18:42:00Z') / 1000,
      zone: '+00:00',
    });
  });

  test.each([
    [{}, '"employees" is not an array'],
    [{ employees: {} }, '"employees" is not an array'],
    [{ employees: ['5'] }, 'employees[0] is not an object'],
    [{ employees: [{ fields: {} }] }, 'employees[0].id is not a worker id'],
    [{ employees: [{ id: 5.5, fields: {} }] }, 'employees[0].id is not a worker id'],
    [{ employees: [{ id: '5', fields: { Status: 'Inactive' } }] }, 'employees[0].fields["Status"] is not an object'],
    [{ employees: [{ id: '5', fields: { Status: { value: 1 } } }] }, 'value is not a text'],
    [
      {
        employees: [
          { id: '5', fields: { Status: { value: 'Inactive' }, 'Employment Status: Date': { value: '30.11.2026' } } },
        ],
      },
      'employees[0] effective day is not an instant',
    ],
  ])('%# a delivery of another shape is refused', (body, message) => {
    expect(refusal(body, 'bamboohr')).toEqual(['ERR_WEBHOOK_STATEMENT', message]);
  });
});

test('whatever the bytes, the answer is events or one of two codes', () => {
  const anything = fc.oneof(fc.json(), fc.string()).map((text) => Buffer.from(text));
  fc.assert(
    fc.property(
      fc.oneof(
        anything,
        fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      ),
      fc.constantFrom<Scheme>('standard-webhooks', 'bamboohr'),
      (body, scheme) => {
        expect(refusal(body, scheme)[0]).toMatch(/^ERR_WEBHOOK_(BODY|STATEMENT)$/);
      },
    ),
  );
});
