/** The quotas of KMS per second, as Service Quotas has them for this account and Region. */
import {
  ListAWSDefaultServiceQuotasCommand,
  ListServiceQuotasCommand,
  type ServiceQuota,
  type ServiceQuotasClient,
} from '@aws-sdk/client-service-quotas';

const PAGE = { ServiceCode: 'kms', MaxResults: 100 };
/** A quota without a period is per second as KMS documents it. */
const SECONDS: Readonly<Record<string, number>> = { SECOND: 1, MINUTE: 60, HOUR: 3600, DAY: 86_400 };

/** What applies to the account wins. Service Quotas lists it only where it keeps one: else the default of AWS counts. */
export async function kmsQuotas(client: ServiceQuotasClient): Promise<Readonly<Record<string, number>>> {
  const defaults = await everyPage((NextToken) =>
    client.send(new ListAWSDefaultServiceQuotasCommand({ ...PAGE, NextToken })),
  );
  const applied = await everyPage((NextToken) => client.send(new ListServiceQuotasCommand({ ...PAGE, NextToken })));
  return Object.fromEntries([...defaults, ...applied].flatMap(perSecond));
}

async function everyPage(
  ask: (token: string | undefined) => Promise<{ Quotas?: ServiceQuota[]; NextToken?: string }>,
): Promise<ServiceQuota[]> {
  const found: ServiceQuota[] = [];
  let token: string | undefined;
  do {
    const { Quotas = [], NextToken } = await ask(token);
    found.push(...Quotas);
    token = NextToken;
  } while (token !== undefined);
  return found;
}

function perSecond({ QuotaName, Value, Period }: ServiceQuota): [string, number][] {
  const seconds = (Period?.PeriodValue ?? 1) * (SECONDS[Period?.PeriodUnit ?? 'SECOND'] ?? 0);
  return QuotaName === undefined || Value === undefined || seconds === 0 ? [] : [[QuotaName, Value / seconds]];
}
