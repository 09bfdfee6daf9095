/** Configurations that people would deploy, each of them as a change to config/example.json: for looks at whole templates. */
import type { Stage } from '../../lib/constructs/parts/stage';

export interface Deployment {
  readonly stage: Stage;
  readonly changes: Readonly<Record<string, unknown>>;
}

const DOMAIN = 'keys.example.com';
const ring = (n: number, stack = 1, algorithm = 'ES256') => ({
  id: `market-${letters(n)}`,
  issuer: `https://login.example.com/market-${letters(n)}`,
  audience: 'https://api.example.com',
  algorithm,
  rotationCheckMinutes: 5,
  stack,
});
const ALL_ALGORITHMS = ['ES256', 'ES384', 'EdDSA', 'RS256', 'PS256'];

function letters(n: number): string {
  return `${'abcdefghij'[n % 10]}${'klmnopqrst'[Math.floor(n / 10)]}`;
}

const listOf = <T>(count: number, of: (n: number) => T) => Array.from({ length: count }, (_, n) => of(n));

export const CONFIGURATIONS: Readonly<Record<string, Deployment>> = {
  trial: { stage: 'trial', changes: {} },
  production: { stage: 'production', changes: { alarmTopicArn: 'arn:aws:sns:us-east-1:111122223333:pager' } },
  minimal: { stage: 'trial', changes: { sources: {} } },
  'another region': { stage: 'production', changes: { region: 'eu-central-1' } },
  cdn: { stage: 'production', changes: { publicBaseUrl: 'https://{cdn}', cdn: {} } },
  'cdn with its own domain': {
    stage: 'production',
    changes: {
      publicBaseUrl: `https://${DOMAIN}`,
      cdn: {
        domainName: DOMAIN,
        certificateArn: 'arn:aws:acm:us-east-1:111122223333:certificate/0f4c1c2e-7f1f-4a52-9d0c-3c8f3e1c6f11',
      },
    },
  },
  'every algorithm': { stage: 'production', changes: { rings: ALL_ALGORITHMS.map((one, n) => ring(n, 1, one)) } },
  'many rings': { stage: 'production', changes: { rings: listOf(30, (n) => ring(n)) } },
  'rings in two stacks': { stage: 'production', changes: { rings: listOf(4, (n) => ring(n, 1 + (n % 2))) } },
  'many sources': {
    stage: 'production',
    changes: { sources: Object.fromEntries(listOf(30, (n) => [`hr-${letters(n)}`, { scheme: 'standard-webhooks' }])) },
  },
  'capped public functions': {
    stage: 'production',
    changes: { publicConcurrency: { account: 1000, 'well-known': 100, exchange: 50, 'was-issued': 20, intake: 10 } },
  },
  'break-glass users': {
    stage: 'production',
    changes: { breakGlassArns: ['arn:aws:iam::111122223333:user/break-glass-1'] },
  },
};
