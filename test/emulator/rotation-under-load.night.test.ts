/**
 * Rings under steady issuing and verifying: rotated by EventBridge Scheduler, halted, and in an emergency within an
 * emergency. Alone at night, because it measures: beside everything else a small machine has no seconds left to measure.
 *
 * The emulator's clock cannot be moved: one date of one record is set back (`makeRotationDue`).
 */
import { loadedRings } from './rings/loaded.suite';
import { type Stage, setStage } from './rings/stage';

jest.setTimeout(400_000);

let stage: Stage;
const undo: Stage['undo'] = [];

beforeAll(async () => {
  stage = await setStage(undo);
});

afterAll(async () => {
  for (const step of undo.reverse()) await step();
});

describe('rings under load', () => loadedRings(() => stage));
