import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';

const PROJECT = resolve(__dirname, '..', '..');
const dir = mkdtempSync(join(tmpdir(), 'curfew-lifecycle-'));
jest.setTimeout(60_000);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function holder(name: string) {
  const child = spawn(process.execPath, ['--import', 'tsx', join(__dirname, 'holds-emulator.ts'), join(dir, name)], {
    cwd: PROJECT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const { pid, endpoint } = JSON.parse(line) as { pid: number; endpoint: string };
    return { child, pid, endpoint, ca: readFileSync(join(dir, name, 'tls', 'cert.pem')) };
  }
  throw new Error('the emulator did not start');
}

function lives(group: number): boolean {
  try {
    process.kill(-group, 0);
    return true;
  } catch {
    return false;
  }
}

async function isGoneWithin(group: number, milliseconds: number): Promise<boolean> {
  for (const end = Date.now() + milliseconds; Date.now() < end; await pause(100)) if (!lives(group)) return true;
  return false;
}

function status(url: string, ca: Buffer): Promise<number | string | undefined> {
  return new Promise((done) => {
    get(url, { ca, agent: false }, (response) => {
      response.resume();
      done(response.statusCode);
    }).on('error', (error: NodeJS.ErrnoException) => done(error.code));
  });
}

test.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)(
  'no process is left behind when %s ends who started it',
  async (signal) => {
    const { child, pid, endpoint, ca } = await holder(signal);
    expect(await status(`${endpoint}/_ministack/health`, ca)).toBe(200);
    child.kill(signal);
    expect(await isGoneWithin(pid, 10_000)).toBe(true);
    expect(await status(`${endpoint}/_ministack/health`, ca)).toBe('ECONNREFUSED');
  },
);

test('two run at once, each on its own port and with its own certificate', async () => {
  const [one, other] = await Promise.all([holder('one'), holder('other')]);
  expect(one.endpoint).not.toBe(other.endpoint);
  expect(await status(`${one.endpoint}/_ministack/health`, one.ca)).toBe(200);
  expect(await status(`${one.endpoint}/_ministack/health`, other.ca)).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
  for (const { child } of [one, other]) child.kill('SIGKILL');
  expect(await isGoneWithin(one.pid, 10_000)).toBe(true);
  expect(await isGoneWithin(other.pid, 10_000)).toBe(true);
});
