/** Starts an emulator in the folder given, says its process group, and waits to be ended. */
import { startEmulator } from '../../emulator/emulator';

startEmulator({ dir: process.argv[2] ?? '', log: () => undefined }).then(
  ({ pid, endpoint }) => {
    process.stdout.write(`${JSON.stringify({ pid, endpoint })}\n`);
    setInterval(() => undefined, 60_000);
  },
  (error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exit(1);
  },
);
