/**
 * Where the public documents are served. A wrong host is found out late: the first ring waits there for its first key,
 * its birth fails, and the whole stack is rolled back. What can be seen before is refused at synth.
 */
import { CurfewError } from '../../domain/base/errors';

interface ServedAt {
  readonly apiId: string;
  /** Of the stack, by its name: a stack that leaves it open cannot hold the tables of a plane. */
  readonly region: string;
  /** @default - no CDN */
  readonly cdn?: { readonly host: string; readonly domainName?: string };
}

const AWS_HOST = /\.(?:amazonaws\.com|amazonaws\.com\.cn|amazonaws\.eu|on\.aws|api\.aws)$/;
/** A whole label of a host; S3 wrote it behind its own name once. */
const REGION = /^(?:s3(?:-website)?-)?([a-z]{2,4}(?:-[a-z]+)+-\d)$/;
const PLACEHOLDER_FIX = 'give https://{apiId}.execute-api.{region}.amazonaws.com, or https://{cdn} and cdn: {}';

export function fillPublicBaseUrl(given: string, { apiId, region, cdn }: ServedAt): string {
  parse(given, cdn !== undefined);
  return given
    .replaceAll('{apiId}', apiId)
    .replaceAll('{region}', region)
    .replaceAll('{cdn}', cdn?.host ?? '');
}

/** Each is a deployment that cannot succeed. */
export function refusalsOfPublicBaseUrl(given: string, { region, cdn }: ServedAt): CurfewError[] {
  const host = parse(given, cdn !== undefined).hostname;
  const labels = host.split('.');
  const named = AWS_HOST.test(host) ? labels.flatMap((label) => REGION.exec(label)?.[1] ?? []).at(-1) : undefined;
  const refusals: CurfewError[] = [];
  if (named !== undefined && named !== region)
    refusals.push(
      new CurfewError('ERR_CONFIG_INVALID', `publicBaseUrl is in ${named}, and the stack is deployed to ${region}`, {
        got: given,
        allowed: given.replace(named, region),
        fix: 'write {region} in publicBaseUrl, or correct region',
      }),
    );
  const domainName = cdn?.domainName;
  if (domainName !== undefined && !given.includes('{cdn}') && host !== domainName.toLowerCase())
    refusals.push(
      new CurfewError('ERR_CONFIG_INVALID', 'publicBaseUrl names another host than the CDN serves', {
        got: given,
        allowed: ['https://{cdn}', `https://${domainName}`],
        fix: 'give https://{cdn}, or leave cdn.domainName out',
      }),
    );
  return refusals;
}

/** With words for the placeholders: what they stand for is known at deployment. */
function parse(given: string, hasCdn: boolean): URL {
  const filled = given
    .replaceAll('{apiId}', 'api')
    .replaceAll('{region}', 'region')
    .replaceAll('{cdn}', hasCdn ? 'cdn' : '{cdn}');
  if (/^https:\/\/[^{}\s]+$/.test(filled) && URL.canParse(filled) && !given.endsWith('/')) return new URL(filled);
  throw new CurfewError('ERR_CONFIG_INVALID', 'publicBaseUrl is not an https URL without a slash at the end', {
    got: given,
    allowed:
      'https://keys.example.com, or with {apiId} for the API made here, {region} for the Region of its stack, or {cdn} for its CDN where there is one',
    fix: PLACEHOLDER_FIX,
  });
}
