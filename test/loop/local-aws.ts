/** The parts that need a local AWS: the demo, and on the deployment that it leaves the suites of test/emulator. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Played, playDemo } from '../../demo/play';
import type { Run } from './command';
import { jest } from './jest';
import { type Result, speakerOf, timed } from './part';

/** Waits most of its time, for schedules and drains: the others run beside it, one after the other. */
const RINGS = 'test/emulator/rotation.test.ts';

export async function onLocalAws({ folder, env }: Run): Promise<Result[]> {
  const out = join(folder, 'demo-out');
  let played: Played | undefined;
  try {
    const demo = await timed('demo', async () => {
      played = await playDemo(out, speakerOf('demo'), join(folder, 'runs'));
      return played.exitCode === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
    });
    // Without its results there is nothing to look at, and the demo has failed already.
    if (played === undefined || played.exitCode === 2) return [demo];
    const thorough = env.CURFEW_THOROUGH && { CURFEW_THOROUGH: env.CURFEW_THOROUGH };
    const there = { ...played.emulator.env, ...thorough, CURFEW_DEMO_OUT: out, CURFEW_DEMO_DIR: played.dir };
    const suites = await Promise.all([
      jest({ part: 'rings', folder, args: ['--runInBand', RINGS], env: there }),
      jest({
        part: 'emulator',
        folder,
        args: ['--runInBand', 'test/emulator', '--testPathIgnorePatterns', '/node_modules/', RINGS],
        env: there,
      }),
    ]);
    return [demo, ...suites];
  } finally {
    if (played !== undefined) {
      await played.emulator.stop();
      rmSync(played.dir, { recursive: true, force: true });
    }
  }
}
