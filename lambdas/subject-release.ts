/**
 * Lifts the block of subjects, for a departure that two approvers gave back. The cut-off moves forward, so no token from
 * before counts again, and verifiers that have the old feed follow the new one.
 */
import { entry } from '../lib/aws/entry';
import { CurfewError } from '../lib/domain/base/errors';
import type { Messages } from '../lib/domain/deployment/messages';
import { CUT_OFF } from '../lib/domain/store/cut-off';
import type { Shut } from '../lib/domain/store/worker';
import { blind } from '../lib/domain/tokens/cut-off';
import { liftBlock } from '../lib/domain/tokens/cut-off-transitions';
import type { Deps } from '../lib/ports';
import { requireApproved, requireOpening } from '../lib/work/cases/approved';
import { pepperOf } from '../lib/work/tokens/pepper';
import { tryTransact } from '../lib/work/transactions';

type ReleaseDeps = Deps<'subject-release'>;

/** Until verifiers have the feed that lifts the block, no token is issued that they would refuse. */
const AHEAD_SECONDS = 15;

export async function releaseSubjects(
  { ring, subjects, caseId }: Messages['subject-release']['request'],
  deps: ReleaseDeps,
): Promise<Messages['subject-release']['response']> {
  const giveBack = await requireApproved(caseId, deps);
  const isMeant = (thing: Shut) =>
    thing.kind === 'cut-off' && thing.ring === ring && subjects.every(({ value }) => value === thing.target.value);
  await requireOpening(giveBack, isMeant, deps);
  const pepper = await pepperOf(deps);
  const cutOffs = [];
  // If we stop between two subjects, those before are free; the replay leaves them, and does the rest.
  for (const subject of subjects) cutOffs.push(await releaseOne(ring, blind(pepper, subject), caseId, deps));
  return { cutOffs };
}

async function releaseOne(ring: string, blinded: string, caseId: string, { tables, clock }: ReleaseDeps) {
  const before = await tables.get(CUT_OFF, ring, blinded);
  // Containment set one: that it is missing does not show that it was lifted, and older tokens would count again.
  if (before === undefined)
    throw new CurfewError('ERR_NOT_FOUND', 'the cut-off that is to be lifted is missing', {
      got: ring,
      fix: 'restore the table `cut-offs`; until then the give-back stays open',
    });
  const notBefore = Math.max(clock.now() + AHEAD_SECONDS, before.notBefore + 1);
  // Refused where it is free already, or was blocked anew a moment ago: what stands is read back.
  if (before.blocked) await tryTransact(tables, liftBlock({ ring, blinded, caseId }, notBefore, clock.now()));
  const stored = await tables.get(CUT_OFF, ring, blinded);
  if (!stored) throw new CurfewError('ERR_UNAVAILABLE', 'the cut-off was written and cannot be read', { fix: 'retry' });
  return { notBefore: stored.notBefore, blocked: stored.blocked };
}

export const handler = entry('subject-release', releaseSubjects);
