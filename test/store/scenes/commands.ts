/** The commands on rings, each under its own row of rights, at a ring with a tainted key. Those on cases: `departure.ts`. */
import { examine } from '../../../bin/commands/doctor';
import { rotateRing, switchIssuing } from '../../../bin/commands/ring-change';
import { taintKey } from '../../../bin/commands/ring-taint';
import { showRing, showRings } from '../../../bin/commands/ring-view';
import { verifierConfig } from '../../../bin/commands/verifier';
import type { Instance } from '../../../bin/edge/instance';
import { calmly, RING, type SigningWorld, signingWorld } from '../../scenarios/signing-world';
import { looksAt } from '../../support/looks';
import { Scene } from '../scene';

const DRAWING = { width: 80, unicode: false };
const quiet = () => undefined;

export async function commandScene(): Promise<Scene<SigningWorld>> {
  const scene = new Scene(await signingWorld({}, calmly));
  const { world, act, tap } = scene;
  const { kid } = world.legacy.jwk;
  const taint = { kid, class: 'compromise', reason: 'CHG-9', direct: true } as const;
  await act('ends a legacy key', () => taintKey(tap.command('ring taint'), taint, quiet));
  const rotation = { ring: RING, reason: 'CHG-9' };
  await act('replaces the key', () => rotateRing(tap.command('ring rotate'), rotation, quiet));
  await act('lists', () => showRings(tap.command('ring list')));
  await act('shows', () => showRing(tap.command('ring show'), RING, DRAWING));
  for (const op of ['halt', 'resume'] as const)
    await act(`${op}s`, () => switchIssuing(tap.command(`ring ${op}`), { op, ring: RING, reason: 'drill' }));
  await act('looks', () => examine(tap.command('doctor'), looksAt(world)));
  // As far as memory goes: it then asks AWS for the pepper.
  await act('configures', () => verifierConfig(instanceOf(scene), RING)).catch(quiet);
  return scene;
}

function instanceOf({ tap }: Scene): Instance {
  const output = () => {
    throw new Error('there is no stack in memory');
  };
  return { ...tap.command('verifier config'), output } as unknown as Instance;
}
