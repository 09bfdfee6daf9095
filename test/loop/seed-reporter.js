/** Says once what the run draws from, and beside each failure how to draw the same again. Jest loads reporters as JavaScript. */
const { relative } = require('node:path');

class SeedReporter {
  onRunStart() {
    process.stderr.write(`TEST_SEED=${process.env.TEST_SEED}\n`);
  }

  onTestResult({ path }, { numFailingTests, testExecError }) {
    if (numFailingTests === 0 && !testExecError) return;
    process.stderr.write(`repeat: TEST_SEED=${process.env.TEST_SEED} npx jest ${relative(process.cwd(), path)}\n`);
  }
}

module.exports = SeedReporter;
