/**
 * The parts that need a local AWS: the demo, on the deployment that it leaves the suites of test/emulator, and beside the
 * demo those suites that ask for no deployment.
 */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Played, playDemo } from '../../demo/play';
import { startEmulator } from '../../emulator/emulator';
import { emulatorPython } from '../../emulator/python';
import type { Run } from './command';
import { jest } from './jest';
import { type Result, speakerOf, timed } from './part';
import { PROJECT } from './run-folder';

const suite = (name: string) => `test/emulator/${name}.test.ts`;
const ALL = readdirSync(join(PROJECT, 'test', 'emulator'))
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => `test/emulator/${name}`);
/** The adapters and the emulator itself: while the demo waits for its case, they need not wait for the demo. */
const PORTS = ['contracts', 'lifecycle', 'account-check'].map(suite);
/** Five deployments: at night. */
const SLOW = ['first-deployment'].map(suite);
/** Wait most of their time, for schedules and drains. */
const RINGS = ['rotation', 'rotation-under-load.night'].map(suite);
const OTHERS = ALL.filter((file) => ![...PORTS, ...SLOW, ...RINGS].includes(file));

export async function onLocalAws(run: Run): Promise<Result[]> {
  // Once and first: two emulators that start together would each make it.
  const python = await timed('python', async () => {
    await emulatorPython(PROJECT, speakerOf('python'));
    return { passed: 1, failed: 0 };
  });
  if (python.failed > 0) return [python];
  return [python, ...(await Promise.all([ports(run), demoAndSuites(run)])).flat()];
}

async function ports({ folder, env }: Run): Promise<Result[]> {
  const emulator = await startEmulator({ dir: join(folder, 'ports'), log: speakerOf('ports') });
  try {
    return [
      await suites('ports', env.CURFEW_THOROUGH ? [...PORTS, ...SLOW] : PORTS, folder, {
        ...emulator.env,
        ...thoroughOf(env),
      }),
    ];
  } finally {
    await emulator.stop();
  }
}

async function demoAndSuites({ folder, env }: Run): Promise<Result[]> {
  const out = join(folder, 'demo-out');
  let played: Played | undefined;
  try {
    const demo = await timed('demo', async () => {
      played = await playDemo(out, speakerOf('demo'), join(folder, 'runs'));
      return played.exitCode === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
    });
    // Without its results there is nothing to look at, and the demo has failed already.
    if (played === undefined || played.exitCode === 2) return [demo];
    const { emulator, dir } = played;
    const there = { ...emulator.env, ...thoroughOf(env), CURFEW_DEMO_OUT: out, CURFEW_DEMO_DIR: dir };
    const both = [suites('rings', RINGS, folder, there), suites('emulator', OTHERS, folder, there)];
    return [demo, ...(await Promise.all(both))];
  } finally {
    if (played !== undefined) {
      await played.emulator.stop();
      rmSync(played.dir, { recursive: true, force: true });
    }
  }
}

/** One after the other in one process: they share the emulator, and two cores are busy already. */
function suites(part: string, files: readonly string[], folder: string, env: NodeJS.ProcessEnv): Promise<Result> {
  return jest({ part, folder, args: ['--runInBand', '--runTestsByPath', ...files], env });
}

/** An emulator's environment has nothing of ours but what is given to it. */
function thoroughOf({ CURFEW_THOROUGH }: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return CURFEW_THOROUGH === undefined ? {} : { CURFEW_THOROUGH };
}
