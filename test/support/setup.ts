/** Before each test file: whatever draws, draws from TEST_SEED. */
import fc from 'fast-check';
import { seedRun } from '../../lib/local/random';
import { TEST_SEED } from './seeded';

fc.configureGlobal({ seed: TEST_SEED });
seedRun(String(TEST_SEED));
