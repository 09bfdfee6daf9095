/** docs/verifier.md: the requests and the guard that it shows. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cutOff } from '../../lambdas/cutter';
import { issue } from '../../lambdas/issuer';
import { SETTINGS } from '../../lib/domain/deployment/settings';
import { parseCompact } from '../../lib/domain/jose/compact';
import { parseExchange } from '../../lib/domain/tokens/exchange';
import type { VerifierOptions } from '../../lib/verifier';
import { issueTo, RING, signingWorld, verifierOptionsOf } from '../scenarios/signing-world';
import { compiled } from './compiled';
import { Page, PROJECT } from './page';

const page = new Page('docs/verifier.md');
type Guard = (options: VerifierOptions) => (bearer: string) => Promise<string | undefined>;

test('the claims shown are issued, live as long as they ask, and come under the header that is described', async () => {
  const world = await signingWorld();
  const claims = JSON.parse(/-d '(\{.*\})'/.exec(page.block('sh', '/issue'))?.[1] ?? '');
  const request = { op: 'issue', ring: RING, claims, callerArn: 'arn:test' } as const;
  const { token = '', exp } = await issue(request, world.deps('issuer'));
  expect(exp).toBe(world.clock.now() + claims.lifeSeconds);
  const { header } = parseCompact(token);
  expect([Object.keys(header), header.typ]).toEqual([['alg', 'kid', 'typ'], 'at+jwt']);
});

test('the guard shown compiles, accepts a token, and refuses it once its subject is cut off', async () => {
  await compiled('guard.ts', page.block('ts', 'createVerifier'), async (shown) => {
    const world = await signingWorld();
    const ask = (shown as { guard: Guard }).guard(await verifierOptionsOf(world));
    const token = await issueTo(world, 'member-1');
    expect(await ask(token)).toBe('member-1');

    const subjects = [{ type: 'sub' as const, value: 'member-1' }];
    await cutOff({ ring: RING, subjects, caseId: 'c-test', notBefore: world.clock.now() }, world.deps('cutter'));
    await world.functions.invoke('publisher', { ring: RING });
    world.clock.advance(SETTINGS.feedPollSeconds.default);
    expect(await ask(token)).toBeUndefined();
  });
});

test('the exchange shown is one that is understood', () => {
  const asked = [...page.block('sh', '/exchange').matchAll(/(?:-d |--data-urlencode )"?([a-z_]+)=([^\s"\\]+)/g)];
  const form = new URLSearchParams(asked.map(([, name = '', value = '']): [string, string] => [name, value]));
  expect(parseExchange(form.toString())).toEqual({ subjectToken: '$OLD' });
});

test('the package exports what the pages import, and another project imports it through tsx', () => {
  const { exports } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'));
  expect(exports).toEqual({
    '.': './lib/index.ts',
    './verifier': './lib/verifier/index.ts',
    './package.json': './package.json',
  });
  const folder = mkdtempSync(join(tmpdir(), 'curfew-docs-'));
  try {
    for (const part of ['package.json', 'tsconfig.json', 'lib'])
      cpSync(join(PROJECT, part), join(folder, 'node_modules', 'curfew', part), { recursive: true });
    writeFileSync(
      join(folder, 'app.mjs'),
      "import { createVerifier } from 'curfew/verifier';\nimport pkg from 'curfew/package.json' with { type: 'json' };\nconsole.log(typeof createVerifier, pkg.name);\n",
    );
    const { stdout, stderr } = spawnSync(process.execPath, ['--import', require.resolve('tsx'), 'app.mjs'], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect([stdout.trim(), stderr]).toEqual(['function curfew', expect.any(String)]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
