/**
 * Key rings on the deployment that the demo leaves: rings of the test's own, born by its rotator, asked over its API,
 * rotated by EventBridge Scheduler. The demo's own ring stays as it was.
 *
 * The emulator's clock cannot be moved. What takes a period on a calendar is brought about by setting back one date of
 * one record (`makeRotationDue`), or by dating one policy (`datePolicy`); what takes a minute or two is waited for.
 */
import { deployedRings } from './rings/deployed.suite';
import { loadedRings } from './rings/loaded.suite';
import { neglectedRings } from './rings/neglected.suite';
import { type Stage, setStage } from './rings/stage';

jest.setTimeout(200_000);

let stage: Stage;
const undo: Stage['undo'] = [];

beforeAll(async () => {
  stage = await setStage(undo);
});

afterAll(async () => {
  for (const step of undo.reverse()) await step();
});

// In this order: while the others are looked at, a minute goes by for those that wait for their schedule.
describe('rings as they are deployed', () => deployedRings(() => stage));
describe('rings under load', () => loadedRings(() => stage));
describe('rings that nobody looks after', () => neglectedRings(() => stage));
