/** The bundles of the functions on request paths, made by the real esbuild and run by a Node of their own. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { AssetCode } from 'aws-cdk-lib/aws-lambda';
import type { BuildOptions, BuildResult } from 'esbuild';
import { LambdaBundle } from '../../../lib/constructs/functions/lambda-bundle';
import type { FunctionName } from '../../../lib/domain/deployment/rights';
import { BUCKETS } from '../../../lib/domain/deployment/rights';
import { TABLES } from '../../../lib/domain/store/table';
import { ENV } from '../../../lib/env';
import { ofType, templatesOf } from '../templates';

const mockBuilt = new Map<string, BuildResult['metafile']>();
jest.mock('esbuild', () => {
  const real = jest.requireActual('esbuild');
  const buildSync = (options: BuildOptions) => {
    const { metafile } = real.buildSync({ ...options, metafile: true });
    mockBuilt.set(options.outfile ?? '', metafile);
  };
  return { ...real, buildSync };
});

/** What the right of each function lets it call. */
const CLIENTS: Readonly<Record<string, readonly string[]>> = {
  issuer: ['client-dynamodb', 'client-kms', 'client-secrets-manager'],
  exchange: ['client-dynamodb', 'client-secrets-manager'],
  'was-issued': ['client-dynamodb'],
  'well-known': ['client-dynamodb', 'client-s3'],
  intake: ['client-dynamodb', 'client-secrets-manager'],
};
const NAMES = Object.keys(CLIENTS) as FunctionName[];

const work = mkdtempSync(join(tmpdir(), 'curfew-bundles-'));
const bundle = new LambdaBundle();
afterAll(() => rmSync(work, { recursive: true, force: true }));

/** The file of a function's code, the name of its handler there, and what went in. */
function bundled(name: FunctionName) {
  const { code, handler } = bundle.codeOf(name);
  const file = join((code as AssetCode).path, 'index.js');
  return { file, exported: handler.replace('index.', ''), inputs: Object.keys(mockBuilt.get(file)?.inputs ?? {}) };
}

const config = {
  instance: 'test',
  settings: {},
  publicBaseUrl: 'https://keys.example.com',
  pepperSecretArn: 'arn:aws:secretsmanager:us-east-1:111122223333:secret:pepper',
};
/** Of what a right gives: only who may read the HR sources is told where they stand. */
const GIVEN: { readonly [F in FunctionName]?: object } = {
  intake: { hrSourcesArn: 'arn:aws:secretsmanager:us-east-1:111122223333:secret:hr-sources' },
};
const ENVIRONMENT = {
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'none',
  AWS_SECRET_ACCESS_KEY: 'none',
  // Nobody listens there.
  AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
  ...Object.fromEntries(TABLES.map((table) => [ENV.table(table), table])),
  ...Object.fromEntries(BUCKETS.map((bucket) => [ENV.bucket(bucket), bucket])),
};

/** An HTTP request to a deployment that cannot reach AWS. */
const RUN = `
const [, , file, exported] = process.argv;
const before = process.cpuUsage();
const handler = require(file)[exported];
const { user, system } = process.cpuUsage(before);
const h = (letter) => letter.repeat(43);
const event = {
  headers: {}, body: '{}', requestContext: { http: { method: 'GET', path: '/r/customer-api/feed' } },
  rawPath: '/r/customer-api/feed', routeKey: 'GET /r/{ring}/feed',
  pathParameters: { ring: 'customer-api', source: 'nobody', kid: h('a'), jtiH: h('b'), tokenSha256: h('c') },
};
handler(event, { getRemainingTimeInMillis: () => 9000 })
  .then((answer) => answer, (error) => ({ thrown: error.message }))
  .then((answer) => console.log(JSON.stringify({ answer, ms: Math.round((user + system) / 1000) })));
`;

function run(name: FunctionName) {
  const { file, exported } = bundled(name);
  const script = join(work, 'run.js');
  writeFileSync(script, RUN);
  const { stdout, stderr } = spawnSync(process.execPath, [script, file, exported], {
    env: {
      ...ENVIRONMENT,
      [ENV.functionName]: name,
      [ENV.config]: JSON.stringify({ ...config, ...GIVEN[name] }),
    },
    encoding: 'utf8',
    timeout: 20_000,
  });
  const last = stdout.trim().split('\n').at(-1) ?? '';
  const { answer, ms } = JSON.parse(last || `{"answer":${JSON.stringify(stderr)}}`);
  return { answer, stderr, ms, kilobytes: Math.round(statSync(file).size / 1024) };
}

test.each(NAMES)('%s carries the SDK clients of its row, and no other', (name) => {
  const clients = bundled(name).inputs.flatMap((input) => /@aws-sdk\/(client-[\w-]+)/.exec(input)?.[1] ?? []);
  expect([...new Set(clients)].sort()).toEqual(CLIENTS[name]);
});

const ANSWERS: Readonly<Record<string, object>> = {
  issuer: { statusCode: 503, body: expect.stringContaining('"ERR_UNAVAILABLE"') },
  // RFC 6749 has its own words for a refusal.
  exchange: { statusCode: 400, body: '{"error":"invalid_request"}' },
  'was-issued': { thrown: expect.stringContaining('{"code":"ERR_UNAVAILABLE"') },
  'well-known': { thrown: expect.stringContaining('{"code":"ERR_UNAVAILABLE"') },
  // Whether there is such a source, it cannot know: the API answers 500, and HR sends again.
  intake: { thrown: expect.stringContaining('{"code":"ERR_UNAVAILABLE"') },
};
const printed: string[] = [];

test.each(NAMES)('%s starts with nothing but its bundle, and answers a refusal when AWS does not', (name) => {
  const { answer, stderr, ms, kilobytes } = run(name);
  expect(answer).toMatchObject(ANSWERS[name] ?? {});
  // A bug, such as an adapter that is not there, is logged under this word.
  expect(stderr).not.toContain('"bug"');
  printed.push(`${name}: ${kilobytes} kB, loaded in ${ms} ms`);
});

test('what a frame of an error names is a function of ours', () => {
  const [logged = '{}'] = run('was-issued')
    .stderr.split('\n')
    .filter((line) => line.startsWith('{'));
  expect(JSON.parse(logged).at.join()).toMatch(/\bat awsError .*\bat /s);
});

test('Node reads no source map when a function starts', () => {
  const { evidence, signing, offboarding } = templatesOf('trial');
  const ours = [evidence, signing, offboarding].flatMap((stack) => ofType(stack, 'AWS::Lambda::Function'));
  expect(ours.map(([, { Properties }]) => Properties.Environment?.Variables?.NODE_OPTIONS).filter(Boolean)).toEqual([]);
  expect(readdirSync(dirname(bundled('issuer').file))).toEqual(['index.js']);
});

test('the others share one bundle, where each handler is found', () => {
  const [rotator, closer] = [bundled('rotator'), bundled('closer')];
  expect([rotator.file, rotator.exported, closer.exported]).toEqual([closer.file, 'rotator', 'closer']);
  expect(rotator.inputs.join()).toMatch(/client-sfn/);
});

afterAll(() => process.stdout.write(`${printed.join('\n')}\n`));
