/** What the doctor reads of Service Quotas, over a stubbed client: kms.throttled begins where these quotas end. */
import { ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { kmsQuotas } from '../../bin/commands/doctor-quotas';
import { see } from '../../bin/commands/looks';
import { type Asked, answering } from '../aws/answering';

const DEFAULTS = 'ListAWSDefaultServiceQuotas';
const quota = (QuotaName: string, Value?: number, more: object = {}) => ({
  ServiceCode: 'kms',
  QuotaName,
  Value,
  ...more,
});

function quotasThat(answer: (asked: Asked) => { status?: number; body: unknown }) {
  const { asked, config } = answering(answer);
  return { asked, quotas: see(() => kmsQuotas(new ServiceQuotasClient(config))) };
}

test('kms.throttled: every page of both lists is read, and what applies to the account wins over the default', async () => {
  const pages: Record<string, readonly object[]> = {
    [DEFAULTS]: [quota('CreateKey request rate', 5), quota('Cryptographic operations (ECC) request rate', 1000)],
    ListServiceQuotas: [quota('Aliases', 10_000), quota('CreateKey request rate', 20)],
  };
  const { asked, quotas } = quotasThat(({ operation, input }) => {
    const n = Number(input.NextToken ?? 0);
    const all = pages[operation] ?? [];
    return { body: { Quotas: [all[n]], ...(n + 1 < all.length && { NextToken: String(n + 1) }) } };
  });
  expect(await quotas).toEqual({
    seen: { 'CreateKey request rate': 20, 'Cryptographic operations (ECC) request rate': 1000, Aliases: 10_000 },
  });
  expect(asked.map(({ operation, input }) => [operation, input.ServiceCode, input.NextToken])).toEqual([
    [DEFAULTS, 'kms', undefined],
    [DEFAULTS, 'kms', '1'],
    ['ListServiceQuotas', 'kms', undefined],
    ['ListServiceQuotas', 'kms', '1'],
  ]);
});

test('a quota per another period is told per second; one without a value is not told', async () => {
  const { quotas } = quotasThat(({ operation }) => ({
    body: {
      Quotas:
        operation === DEFAULTS
          ? [quota('per minute', 60, { Period: { PeriodValue: 1, PeriodUnit: 'MINUTE' } }), quota('no value')]
          : [quota('in ten seconds', 1, { Period: { PeriodValue: 10, PeriodUnit: 'SECOND' } })],
    },
  }));
  expect(await quotas).toEqual({ seen: { 'per minute': 1, 'in ten seconds': 0.1 } });
});

test.each(['AccessDeniedException', 'TooManyRequestsException', 'UnknownOperationException'])(
  'a refusal is unseen, under the name that AWS has for it: %s',
  async (name) => {
    const { quotas } = quotasThat(() => ({ status: 400, body: { __type: name } }));
    expect(await quotas).toEqual({ unseen: name });
  },
);
