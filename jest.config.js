/** Tests are TypeScript through swc; jose and its kin are ESM only, so they are transformed too. */
const { randomInt } = require('node:crypto');

// Here, because this is read once and before any worker starts. What it decides: test/support/seeded.ts.
process.env.TEST_SEED ??= String(randomInt(2 ** 31));

module.exports = {
  testEnvironment: 'node',
  // Tests stand in test/; the others are there for `--findRelatedTests` to follow imports through.
  roots: ['test', 'bin', 'demo', 'emulator', 'lambdas', 'lib', 'tools'].map((folder) => `<rootDir>/${folder}`),
  testMatch: ['**/*.test.ts'],
  // test/emulator needs a local AWS; the runner that starts one names it in AWS_ENDPOINT_URL.
  // `*.night.test.ts` computes for longer than 10 s on one core, and sets CURFEW_THOROUGH=1: `npm run verify:all`.
  testPathIgnorePatterns: [
    '/node_modules/',
    ...(process.env.AWS_ENDPOINT_URL ? [] : ['/test/emulator/']),
    ...(process.env.CURFEW_THOROUGH === '1' ? [] : ['\\.night\\.test\\.ts$']),
  ],
  // Tests run in a context of their own, in which each look at a global takes as long as a small function; as a parameter of
  // the module it costs nothing. None is among them that a test replaces, and no `Map`: CDK has a class of that name.
  sandboxInjectedGlobals: ['Array', 'Buffer', 'Error', 'JSON', 'Math', 'Number', 'Object', 'Promise', 'Set', 'String'],
  setupFiles: ['<rootDir>/test/support/setup.ts'],
  reporters: ['default', '<rootDir>/test/loop/seed-reporter.js'],
  // Tests run beside each other and beside the demo: a busy machine is no failure, a test that hangs is one.
  testTimeout: 60_000,
  transform: { '^.+\\.(t|j)s$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } }] },
  transformIgnorePatterns: ['/node_modules/(?!(jose)/)'],
};
