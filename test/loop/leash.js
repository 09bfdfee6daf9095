/**
 * `leash.js NICENESS COMMAND ...`: runs a command, and ends it with all that it started when whoever holds the other end
 * of standard input is gone, however that one ended. Started as the leader of a process group.
 */
const { spawn } = require('node:child_process');
const { setPriority } = require('node:os');

const [niceness, command, ...args] = process.argv.slice(2);
setPriority(Number(niceness));
process.stdin.on('end', () => process.kill(-process.pid, 'SIGKILL')).resume();

const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
child.on('error', (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(127);
});
child.on('close', (code) => process.exit(code ?? 1));
