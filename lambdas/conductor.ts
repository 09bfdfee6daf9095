/**
 * Does the steps of a case, each on what was frozen: load by reference, act, read back, record. State and record leave
 * in one transaction; a step that runs again finds its work done, or does it again to no other end.
 */
import { entry } from '../lib/aws/entry';
import { CurfewError, isCurfewError } from '../lib/domain/base/errors';
import { type CaseMeta, departureOnly, isGivenBack, isWaiting, openQuestion } from '../lib/domain/cases/case';
import { isListedLater } from '../lib/domain/cases/containment';
import { secondRotationOf } from '../lib/domain/cases/linked';
import { proveItem } from '../lib/domain/cases/proof';
import { firstRecheck, recheckMarker } from '../lib/domain/cases/recheck';
import { containedRecord, followedUpRecord, itemRecord } from '../lib/domain/cases/records';
import { heldOutgoing } from '../lib/domain/cases/schedule';
import { bornCase, transition } from '../lib/domain/cases/transitions';
import type { StepRequest } from '../lib/domain/deployment/messages';
import type { Deps } from '../lib/ports';
import {
  BEGUN,
  changeCase,
  isOpen,
  loadCase,
  loadItem,
  loadItems,
  loadNamed,
  type StoredItem,
} from '../lib/work/cases/case-store';
import { claimItem } from '../lib/work/cases/claim';
import { EFFECTS } from '../lib/work/cases/effects';
import { doneWrite, markDone } from '../lib/work/cases/item-done';
import { openedOf } from '../lib/work/cases/linked';
import { release } from '../lib/work/cases/release';
import { noteShut } from '../lib/work/cases/shut';
import { TAINT_STEPS } from '../lib/work/cases/taint-steps';
import { pepperOf } from '../lib/work/tokens/pepper';

type ConductorDeps = Deps<'conductor'>;
type Answer = Readonly<Record<string, unknown>>;

const STEPS: Readonly<Record<string, (request: StepRequest, deps: ConductorDeps) => Promise<Answer>>> = {
  item: actOnItem,
  announce: announceCutOffs,
  contained: markContained,
  ...TAINT_STEPS,
};

export async function conduct(request: StepRequest, deps: ConductorDeps): Promise<Answer> {
  const step = Object.hasOwn(STEPS, request.step) ? STEPS[request.step] : undefined;
  if (step) return step(request, deps);
  throw new CurfewError('ERR_INPUT_INVALID', 'the conductor does not know this step', {
    got: request.step,
    allowed: Object.keys(STEPS),
  });
}

async function actOnItem(request: StepRequest, deps: ConductorDeps): Promise<Answer> {
  const stored = await loadItem(deps, request.caseId, request.nn);
  if (!isOpen(stored)) return { nn: stored.item.nn };
  // The one item of a case about a key is a taint: the steps of the wave act on it.
  const meta = departureOnly(await loadCase(deps, request, BEGUN));
  // What can be undone is done whatever the doubt; anything else is claimed.
  if (stored.phase === 'act') await claimItem(stored, request, deps);
  else if (meta.givenBackAt !== undefined) return { nn: stored.item.nn };
  const { kind } = stored.item;
  if (stored.item.kind === 'taint' || stored.item.kind === 'unplannable')
    throw new CurfewError(
      'ERR_PLAN_INVALID',
      'the wave steps act on a taint, and no step acts on an unplannable item',
      {
        got: stored.item.nn,
      },
    );
  if (stored.item.kind === 'rotate-again') {
    await followUp(stored, request, deps);
    return { nn: stored.item.nn };
  }

  if (stored.phase === 'contain') await noteShut(stored, meta, request, deps);
  const observed =
    stored.item.kind === 'release'
      ? await release(stored.item, stored, meta, deps)
      : await EFFECTS[stored.item.kind](stored, meta, deps);
  // If we stop here, the effect is there and unrecorded: the replay ensures it once more, and records it.
  const { ok, expected } = proveItem(kind, observed);
  if (!ok)
    throw new CurfewError(
      'ERR_NOT_PROVED',
      `item ${stored.item.nn} of case ${request.caseId} was not read back as done`,
      {
        got: observed,
        allowed: expected,
        fix: 'retry: IAM is eventually consistent',
      },
    );
  await markDone(stored, observed, request, deps);
  // The step that tells verifiers is over by now. If we stop before this, the next heartbeat publishes it.
  const isLate = isListedLater(stored.item) || stored.doneAt !== undefined;
  if (stored.item.kind === 'cut-off' && isLate) await announceCutOffs(request, deps);
  return { nn: stored.item.nn };
}

async function announceCutOffs({ caseId }: StepRequest, deps: ConductorDeps): Promise<Answer> {
  const items = await loadItems(deps, caseId);
  const rings = [...new Set(items.flatMap(({ item }) => (item.kind === 'cut-off' ? [item.ring] : [])))];
  const unpublished: string[] = [];
  for (const ring of rings)
    try {
      await deps.functions.invoke('publisher', { ring });
    } catch (error) {
      // The next heartbeat publishes it; until then the prover finds the cut-off open. The other rings do not wait.
      if (!isCurfewError(error)) throw error;
      unpublished.push(ring);
    }
  return { rings, unpublished };
}

/**
 * What a broken item is about is not ours to wait for: it keeps the case from closing, while whatever else the leaver
 * could use is ended.
 */
async function markContained(request: StepRequest, deps: ConductorDeps): Promise<Answer> {
  const list = (await loadItems(deps, request.caseId)).filter(({ phase }) => phase === 'contain');
  const open = list.filter(isOpen).map(({ item }) => item.nn);
  await changeCase(deps, request, BEGUN, (current) => {
    // One that was given back before it began has listed nothing, and contains nobody.
    if (current.state !== 'CONTAINING' || isWaiting(current) || isGivenBack(current)) return [];
    const now = deps.clock.now();
    const event = { detailType: 'CaseContained', detail: { id: current.caseId, open: open.length } };
    const question = openQuestion(current);
    const rechecks = firstRecheck(current, now, deps.config.settings);
    return [
      ...transition(current, { state: 'CONTAINED', containedAt: now, ...(rechecks && { rechecks }) }, [
        { record: containedRecord(current, list.length - open.length, open, now, rechecks), event },
        ...(question ? [heldOutgoing(current, question.n, now)] : []),
      ]),
      // From now on by a clock of its own: whatever becomes of this execution, what was shut is looked at again.
      ...recheckMarker(current.caseId, rechecks),
    ];
  });
  return {};
}

/**
 * The linked case is born here and not at the close, in the transaction that says so: a first case that stays open over
 * one unproved item must not keep the second rotation from happening.
 */
async function followUp(stored: StoredItem, request: StepRequest, deps: ConductorDeps): Promise<void> {
  await changeCase(deps, request, BEGUN, async (current) => {
    const meta = departureOnly(current);
    // Given back since it was claimed: no second rotation is born of it.
    if (meta.givenBackAt !== undefined || !isOpen(await loadItem(deps, request.caseId, stored.item.nn))) return [];
    const now = deps.clock.now();
    const done = ({ caseId, dueAt }: Pick<CaseMeta, 'caseId' | 'dueAt'>) => {
      const observed = { followUp: caseId, dueAt };
      const record = itemRecord(meta, 'done', stored.item, observed, now);
      return { record, write: doneWrite(meta.caseId, stored, observed, now) };
    };
    if (meta.followUp !== undefined) {
      // Born of a plan before this one: it ends whatever it finds then, or sessions were over when that was planned.
      const { record, write } = done(await loadNamed(deps, meta.followUp));
      return [...transition(meta, {}, [{ record }]), write];
    }
    const next = secondRotationOf(meta, now, await pepperOf(deps), deps.config);
    const { record, write } = done(next);
    const outgoing = [{ record }, { record: followedUpRecord(meta, next, now) }];
    return [
      ...transition(meta, { followUp: next.caseId }, outgoing),
      write,
      ...bornCase(next, [await openedOf(next, deps)]),
    ];
  });
}

export const handler = entry('conductor', conduct);
