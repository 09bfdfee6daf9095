/**
 * Key rings on the deployment that the demo leaves: rings of the test's own, born by its rotator, asked over its API. The
 * demo's own ring stays as it was. How they fare under load, and when their schedule comes: `rotation-under-load.night`.
 *
 * The emulator's clock cannot be moved. What takes a period on a calendar is brought about by dating one policy
 * (`datePolicy`).
 */
import { deployedRings } from './rings/deployed.suite';
import { neglectedRings } from './rings/neglected.suite';
import { onStage } from './rings/on-stage';

jest.setTimeout(200_000);

const stage = onStage();

describe('rings as they are deployed', () => deployedRings(stage));
describe('rings that nobody looks after', () => neglectedRings(stage));
