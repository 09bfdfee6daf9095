/** README.md: what it shows is run, what it claims has a proof. The pages under docs/ have their tests in test/docs. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { COMMANDS } from '../bin/commands';
import { issue } from '../lambdas/issuer';
import { SETTINGS } from '../lib/domain/deployment/settings';
import { ACCESS_TOKEN_TYP } from '../lib/domain/jose/compact';
import { RING_LIMITS } from '../lib/domain/rings/configuration';
import type { VerifierOptions } from '../lib/verifier';
import { filesUnder, textOf } from './architecture/sources';
import { compiled } from './docs/compiled';
import { Page, PROJECT, unquoted } from './docs/page';
import { issueTo, RING, signingWorld, verifierOptionsOf } from './scenarios/signing-world';

const BYTES_MAX = 12_000;
/** What a reader sees without scrolling. */
const FIRST_SCREEN_LINES = 40;

const readme = new Page('README.md');
const PACKAGE = JSON.parse(textOf('package.json'));
const DEMO = filesUnder('demo').map(textOf).join('\n');
/** Ids of the demo's checks; `claim`, `pair` and `count` each make one. */
const CHECKS = [...DEMO.matchAll(/checks\.(?:claim|pair|count)\(\s*'([a-z0-9-]+)',\s*'([^']+)'/g)].map(
  ([, id = '', claim = '']) => ({ id, claim }),
);

describe('the front page', () => {
  test('is short', () => {
    expect(Buffer.byteLength(readme.text)).toBeLessThanOrEqual(BYTES_MAX);
  });

  test('says on its first screen that nothing has run on AWS, and what to run first', () => {
    const screen = readme.text.split('\n').slice(0, FIRST_SCREEN_LINES).join('\n');
    expect(screen).toMatch(/\*\*Nothing of this has ever run on AWS\.\*\*[\s\S]*Run `npm run demo` first/);
  });

  test('has its sections in the order in which a stranger asks', () => {
    expect(readme.text.match(/(?<=^## ).+$/gm)).toEqual([
      'Try it',
      'Who it is for',
      'What it costs to adopt',
      'What it guarantees',
      'Deploy',
      'Issue and verify a token',
      'What is not there',
      'Read on',
    ]);
  });
});

describe('try it', () => {
  test('the commands are there, and Node and Python are as old as they may be', () => {
    expect(readme.block('sh', 'npm ci').trim().split('\n')).toEqual(['npm ci', 'npm run demo']);
    expect(PACKAGE.scripts.demo).toBe('node --import tsx demo/main.ts');
    expect(`Node ${PACKAGE.engines.node.replace('>=', '≥ ')}`).toBe('Node ≥ 20.19');
    expect(readme.section('## Try it')).toContain('Node ≥ 20.19 and Python ≥ 3.10');
  });

  test('what the demo is shown to print, it prints', () => {
    const lines = readme.block('console', 'The evidence').trim().split('\n');
    for (const line of lines.filter((one) => /^\d\. /.test(one))) expect(DEMO).toContain(`say('\\n${line}')`);
    const claims = lines.filter((line) => line.startsWith('  ok ')).map((line) => line.slice('  ok   '.length));
    expect(claims.length).toBeGreaterThan(3);
    for (const claim of claims) expect(CHECKS.map((check) => check.claim)).toContain(claim);
    expect(lines.at(-1)).toMatch(`${CHECKS.length} of ${CHECKS.length} checks ok; proved `);
  });

  test('each file that the table names is one that the demo writes', () => {
    const files = readme.tableAfter('`demo-out/`').flatMap(([names = '']) => unquoted(names).split(', '));
    expect(files).toHaveLength(6);
    for (const file of files) expect([file, DEMO.includes(`'${file.replace(/\/$/, '')}'`)]).toEqual([file, true]);
  });
});

describe('what it costs to adopt', () => {
  const section = readme.section('## What it costs to adopt').replaceAll(/\s+/g, ' ');

  test('the money is that of docs/cost.md', () => {
    const cost = new Page('docs/cost.md');
    const together = cost.tableAfter('## Per month, idle').at(-1)?.at(-1)?.replaceAll('*', '');
    expect(section).toContain(`about USD ${Math.round(Number(together))} per month`);
    for (const [said, there] of [
      ['USD 8 for each further ring', 'Another ring costs about USD 8'],
      ['USD 0.15 per 10,000 issued tokens', 'USD 0.15 per 10,000'],
      ['USD 1 per month for each replaced key', 'USD 1 each per month'],
    ] as const) {
      expect(section).toContain(said);
      expect(cost.text).toContain(there);
    }
  });

  test('the times and the header are those of the code', () => {
    expect(section).toContain(`${SETTINGS.feedPollSeconds.default} seconds`);
    expect(section).toContain(`${SETTINGS.feedExpirySeconds.default / 60} minutes`);
    expect(section).toContain(`at most ${RING_LIMITS.maxTtlSeconds.max / 3600} hours`);
    expect(section).toContain(`\`typ\` \`${ACCESS_TOKEN_TYP}\``);
  });
});

describe('what it guarantees', () => {
  const rows = readme.tableAfter('## What it guarantees').map(([guarantee = '', proof = '']) => [guarantee, proof]);

  test.each(rows)('%s', (_, proof = '') => {
    const named = [...proof.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
    expect(named.length).toBeGreaterThan(0);
    const ids = CHECKS.map(({ id }) => id);
    const isThere = (name: string) => (name.includes('/') ? existsSync(join(PROJECT, name)) : ids.includes(name));
    expect(named.filter((name) => !isThere(name))).toEqual([]);
  });
});

describe('deploy, issue and verify in short', () => {
  test('the commands are those of docs/deploy.md, and the doctor', () => {
    const commands = readme.block('sh', 'cdk deploy').trim().split('\n');
    const known = new Page('docs/deploy.md').text;
    for (const command of commands) expect(known).toContain(command);
    expect(Object.keys(COMMANDS)).toContain('doctor');
  });

  test('the claims shown are issued', async () => {
    const world = await signingWorld();
    const claims = JSON.parse(/-d '(\{.*\})'/.exec(readme.block('sh', '/issue'))?.[1] ?? '');
    const answer = await issue({ op: 'issue', ring: RING, claims, callerArn: 'arn:test' }, world.deps('issuer'));
    expect(Object.keys(answer)).toEqual(Object.keys(JSON.parse('{"token": "…", "exp": 0}')));
  });

  test('the code shown compiles, and verifies a token', async () => {
    await compiled('subject-reader.ts', readme.block('ts', 'createVerifier'), async (shown) => {
      const { subjectReader } = shown as {
        subjectReader(options: VerifierOptions): (bearer: string) => Promise<string>;
      };
      const world = await signingWorld();
      const subjectOf = subjectReader(await verifierOptionsOf(world));
      expect(await subjectOf(await issueTo(world, 'member-1'))).toBe('member-1');
      await expect(subjectOf('no token')).rejects.toMatchObject({ code: 'ERR_TOKEN_MALFORMED' });
    });
  });
});
