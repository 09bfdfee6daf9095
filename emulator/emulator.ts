/**
 * An AWS on loopback: one emulator process with IAM enforcement and TLS, in a process group and folder of its own.
 *
 * Node reads NODE_EXTRA_CA_CERTS only when it starts, so the process that starts the emulator cannot itself talk to it
 * through the SDK. It supervises: whatever uses AWS (CDK CLI, the story, tests) runs as its child with `emulator.env`.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { get } from 'node:https';
import { createServer } from 'node:net';
import { devNull } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { CurfewError } from '../lib/domain/base/errors';
import { emulatorPython } from './python';

const PROJECT = resolve(__dirname, '..');
const SERVER = join(__dirname, 'emulator.py');
export const LOCAL_ACCOUNT = '000000000000';
export const LOCAL_REGION = 'us-east-1';
const READY_WITHIN_MS = 60_000;
const STARTS_MAX = 3;

export interface Emulator {
  /** `https://127.0.0.1:PORT`: an IP address, so that S3 clients keep the bucket in the path. */
  readonly endpoint: string;
  readonly port: number;
  /** Also the id of its process group. */
  readonly pid: number;
  readonly certificate: string;
  /** The whole environment for a process that shall see this AWS and no other. */
  readonly env: NodeJS.ProcessEnv;
  /** Ends it with all its workers; resolves when they are gone. Safe to call twice. */
  stop(): Promise<void>;
  /** Lets it outlive this process. From then on only `kill -- -PID` ends it. */
  keep(): void;
}

export interface EmulatorOptions {
  /** Folder for its certificate, state, temporary files and log; made if absent. */
  readonly dir: string;
  readonly log: (line: string) => void;
}

export async function startEmulator({ dir, log }: EmulatorOptions): Promise<Emulator> {
  const python = await emulatorPython(PROJECT, log);
  for (const name of ['tls', 'state', 'tmp']) mkdirSync(join(dir, name), { recursive: true });
  const tls = resolve(dir, 'tls');
  makeCertificate(python, tls);

  for (let start = 1; ; start += 1) {
    // Between our look and its bind another process may take the port; then it exits, and we choose another.
    const port = await freePort();
    const emulator = spawnEmulator(python, resolve(dir), tls, port);
    try {
      await untilHealthy(emulator);
      return emulator;
    } catch (error) {
      await emulator.stop();
      if (start === STARTS_MAX) throw error;
    }
  }
}

function makeCertificate(python: string, directory: string): void {
  const made = spawnSync(python, [SERVER, 'certificate', directory], { encoding: 'utf8' });
  if (made.status !== 0)
    throw new CurfewError('ERR_UNAVAILABLE', `the emulator's certificate could not be made: ${made.stderr.trim()}`);
}

interface Starting extends Emulator {
  readonly child: ChildProcess;
  readonly logFile: string;
}

function spawnEmulator(python: string, dir: string, tls: string, port: number): Starting {
  const certificate = join(tls, 'cert.pem');
  const endpoint = `https://127.0.0.1:${port}`;
  const env = environmentOf(endpoint, certificate);
  const logFile = join(dir, 'emulator.log');
  const output = openSync(logFile, 'a');
  const child = spawn(python, [SERVER, 'serve'], {
    cwd: dir,
    // A group of its own: Ctrl-C in the terminal reaches us alone, and we end it in order; one signal ends its workers.
    detached: true,
    stdio: ['pipe', output, output],
    env: {
      ...env,
      AUTH: 'true',
      USE_SSL: '1',
      MINISTACK_SSL_CERT: certificate,
      MINISTACK_SSL_KEY: join(tls, 'key.pem'),
      BIND_HOST: '127.0.0.1',
      GATEWAY_PORT: String(port),
      LAMBDA_EXECUTOR: 'local',
      IOT_MTLS_ENABLED: '0',
      SFTP_ENABLED: '0',
      MINISTACK_ACCOUNT_ID: LOCAL_ACCOUNT,
      MINISTACK_REGION: LOCAL_REGION,
      STATE_DIR: join(dir, 'state'),
      TMPDIR: join(dir, 'tmp'),
      // Its Lambda workers take the first node of the PATH.
      PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ''}`,
    },
  });
  closeSync(output);
  child.stdin?.on('error', () => undefined); // the server may be gone before we tell it to keep on
  const pid = child.pid;
  if (pid === undefined) throw new CurfewError('ERR_UNAVAILABLE', `${python} could not be started`);

  let kept = false;
  const killNow = () => {
    if (!kept) killGroup(pid, 'SIGKILL');
  };
  process.once('exit', killNow);

  return {
    endpoint,
    port,
    pid,
    certificate,
    env,
    child,
    logFile,
    async stop() {
      process.removeListener('exit', killNow);
      if (!killGroup(pid, 'SIGTERM')) return;
      if (!(await untilGone(pid, 5_000))) killGroup(pid, 'SIGKILL');
      await untilGone(pid, 5_000);
    },
    keep() {
      kept = true;
      child.stdin?.end('keep\n');
      child.unref();
    },
  };
}

/** Nothing of the developer's own AWS set-up gets in: no profile, no session, no endpoint, no credentials file. */
function environmentOf(endpoint: string, certificate: string): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(AWS_|CDK_|CURFEW_|NODE_EXTRA_CA_CERTS$|NODE_OPTIONS$|https?_proxy$|all_proxy$)/i.test(name),
  );
  return {
    ...Object.fromEntries(inherited),
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: LOCAL_REGION,
    AWS_DEFAULT_REGION: LOCAL_REGION,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CA_BUNDLE: certificate,
    NODE_EXTRA_CA_CERTS: certificate,
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    NO_PROXY: 'localhost,127.0.0.1',
  };
}

function freePort(): Promise<number> {
  return new Promise((resolvePort, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        typeof address === 'object' && address !== null
          ? resolvePort(address.port)
          : reject(new CurfewError('ERR_UNAVAILABLE', 'no free port on loopback')),
      );
    });
  });
}

async function untilHealthy({ endpoint, certificate, child, logFile }: Starting): Promise<void> {
  const ca = readFileSync(certificate);
  const deadline = Date.now() + READY_WITHIN_MS;
  while (child.exitCode === null && child.signalCode === null && Date.now() < deadline) {
    if (await answers(`${endpoint}/_ministack/health`, ca)) return;
    await pause(100);
  }
  const tail = readFileSync(logFile, 'utf8').trim().split('\n').slice(-5).join('\n');
  throw new CurfewError('ERR_UNAVAILABLE', `the emulator did not come up; its log ends with:\n${tail}`, {
    fix: `read ${logFile}`,
  });
}

function answers(url: string, ca: Buffer): Promise<boolean> {
  return new Promise((done) => {
    const request = get(url, { ca, agent: false, timeout: 1_000 }, (response) => {
      response.resume();
      done(response.statusCode === 200);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => done(false));
  });
}

/** False when no process of the group is left. */
function killGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

async function untilGone(pid: number, withinMs: number): Promise<boolean> {
  const deadline = Date.now() + withinMs;
  while (Date.now() < deadline) {
    if (!killGroup(pid, 0)) return true;
    await pause(50);
  }
  return false;
}

function pause(ms: number): Promise<void> {
  return new Promise((wake) => setTimeout(wake, ms));
}
