/**
 * Rings under steady issuing and verifying: rotated by EventBridge Scheduler, halted, and in an emergency within an
 * emergency. Alone at night, because it measures: beside everything else a small machine has no seconds left to measure.
 *
 * The emulator's clock cannot be moved: one date of one record is set back (`makeRotationDue`).
 */
import { loadedRings } from './rings/loaded.suite';
import { onStage } from './rings/on-stage';

jest.setTimeout(400_000);

const stage = onStage();

describe('rings under load', () => loadedRings(stage));
