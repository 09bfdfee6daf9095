/** Tests are TypeScript through swc; jose and its kin are ESM only, so they are transformed too. */
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  // test/emulator needs a local AWS; the runner that starts one names it in AWS_ENDPOINT_URL.
  testPathIgnorePatterns: ['/node_modules/', ...(process.env.AWS_ENDPOINT_URL ? [] : ['/test/emulator/'])],
  transform: { '^.+\\.(t|j)s$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } }] },
  transformIgnorePatterns: ['/node_modules/(?!(jose)/)'],
};
