/** What the demo left behind is what the issue asks for, and says what it says of a deployment that is still there. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { verifyBundle } from '../../bin/commands/evidence';
import { parseCompact } from '../../lib/domain/jose/compact';

const OUT = process.env.CURFEW_DEMO_OUT ?? '';
const PROJECT = join(__dirname, '..', '..');
const read = (name: string) => JSON.parse(readFileSync(join(OUT, name), 'utf8'));
const summary = read('summary.json');
const tokens: { tokens: { sub: string; kid: string; old: string; new: string }[]; leaver: string[]; forged: string[] } =
  read('tokens.json');

const CHECKS = [
  'access-key-worked-before',
  'access-key-refused-after',
  'console-login-gone',
  'latch-denies',
  'personal-kms-key-disabled',
  'leaver-token-accepted-before',
  'leaver-token-refused-after',
  'issue-to-leaver-refused-after',
  'standby-cannot-sign',
  'old-key-cannot-sign',
  'expired-key-cannot-sign',
  'issuer-cannot-disable',
  'rotator-cannot-sign',
  'others-resigned',
  'others-payload-unchanged',
  'others-accepted-by-jose-after',
  'old-tokens-refused-by-fresh-jose-after',
  'forgery-accepted-before',
  'forgery-refused-while-suspect',
  'forgery-refused-after',
  'forgery-not-laundered',
  'duplicate-webhook-one-case',
  'tampered-webhook-refused',
  'manifest-complete',
  'evidence-verifies-offline',
  'tampered-evidence-refused',
];

test.each(CHECKS)('the demo observed %s', (id) => {
  const check = summary.checks.find((candidate: { id: string }) => candidate.id === id);
  expect(check).toMatchObject({ id, ok: true });
  expect(check.observed).not.toBe('');
});

test('the timings of the case follow each other', () => {
  const { hrEventAt, acceptedAt, blockedAt, containedAt, plannedAt, resignedAt, deniedAt, provedAt, closedAt } =
    summary.timings;
  const order = [
    hrEventAt,
    Math.floor(acceptedAt),
    blockedAt,
    containedAt,
    plannedAt,
    resignedAt,
    deniedAt,
    provedAt,
    closedAt,
  ];
  expect(order).toEqual([...order].sort((a, b) => a - b));
});

test('what was not proved is said, and each shrunk setting stands beside its default', () => {
  expect(summary.notProvedHere.join('\n')).toMatch(/warm JWKS cache[\s\S]*emulator/);
  expect(summary.settings.collectGraceSeconds).toMatchObject({ here: 0, default: 86_400 });
  expect(summary.patched.length).toBeGreaterThan(0);
});

test('200 other members hold a re-signed token of the same payload, under a key of the new JWKS alone', async () => {
  const [before, after] = [read('jwks-before.json'), read('jwks-after.json')];
  const kidsBefore = before.keys.map(({ kid }: { kid: string }) => kid);
  const kidsAfter = after.keys.map(({ kid }: { kid: string }) => kid);
  const jwks = createLocalJWKSet(after);
  expect(tokens.tokens).toHaveLength(200);
  for (const { sub, kid, old, new: current } of tokens.tokens) {
    expect(parseCompact(current).payload.equals(parseCompact(old).payload)).toBe(true);
    expect(kidsAfter).toContain(kid);
    expect(kidsAfter).not.toContain(parseCompact(old).header.kid);
    expect(kidsBefore).toContain(parseCompact(old).header.kid);
    expect((await jwtVerify(current, jwks)).payload.sub).toBe(sub);
  }
});

test('neither the leaver nor a forgery got a new token', () => {
  const subjects = tokens.tokens.map(({ new: current }) => JSON.parse(parseCompact(current).payload.toString()));
  expect(subjects.filter(({ sub }) => sub === 'W-1042' || sub === 'no-such-member')).toEqual([]);
  const forgedIds = tokens.forged.map((token) => JSON.parse(parseCompact(token).payload.toString()).jti);
  expect(subjects.filter(({ jti }) => forgedIds.includes(jti))).toEqual([]);
});

test('the bundle verifies offline and under its own key pinned, and not under another', () => {
  const vkey = readFileSync(join(OUT, 'evidence', 'log.vkey'), 'utf8').trim();
  expect(verifyBundle(join(OUT, 'evidence')).verdict).toMatchObject({ ok: true, keyFrom: 'bundle' });
  expect(verifyBundle(join(OUT, 'evidence'), { vkey }).verdict).toMatchObject({ ok: true, keyFrom: 'pinned' });
  const other = `other${vkey.slice(vkey.indexOf('+'))}`;
  expect(verifyBundle(join(OUT, 'evidence'), { vkey: other }).exitCode).toBe(1);
});

test('no token, access key or name stands in the evidence', () => {
  const { verdict } = verifyBundle(join(OUT, 'evidence'));
  const text = JSON.stringify(verdict.records);
  for (const secret of [
    'W-1042',
    'w-1042',
    'member-0',
    ...tokens.tokens.map(({ old }) => old.slice(-40)),
    ...tokens.leaver.map((token) => token.slice(-40)),
  ])
    expect(text.includes(secret)).toBe(false);
  expect(text).not.toMatch(/AKIA[A-Z0-9]{12,}/);
});

test('curfew ring show tells the states of the deployed ring', () => {
  const shown = spawnSync(
    join(PROJECT, 'bin', 'curfew'),
    ['ring', 'show', 'customer-api', '--instance', 'demo', '--json'],
    { encoding: 'utf8', env: process.env },
  );
  expect(shown.stderr).toBe('');
  const { keys } = JSON.parse(shown.stdout) as { keys: { state: string; kmsState?: string }[] };
  expect(keys.map(({ state }) => state).sort()).toEqual(['ACTIVE', 'DENIED', 'DENIED', 'STANDBY', 'STANDBY']);
  expect(keys.filter(({ kmsState }) => kmsState === 'Enabled')).toHaveLength(1);
});

test('curfew case show tells that the case is closed, without the worker’s id', () => {
  const shown = spawnSync(join(PROJECT, 'bin', 'curfew'), ['case', 'show', summary.case, '--instance', 'demo'], {
    encoding: 'utf8',
    env: process.env,
  });
  expect(shown.stdout).toContain('CLOSED');
  expect(shown.stdout).not.toContain('W-1042');
});
