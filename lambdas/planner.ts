/** Freezes what a case will do: first the containment list, then, when that is done, the plan. Never asked twice. */
import { entry } from '../lib/aws/entry';
import { CurfewError } from '../lib/domain/base/errors';
import { isListedLater } from '../lib/domain/cases/containment';
import type { ItemKind } from '../lib/domain/cases/proof';
import type { StepRequest } from '../lib/domain/deployment/messages';
import type { Deps } from '../lib/ports';
import { isOpen, loadCase, loadItems, type StoredItem } from '../lib/work/cases/case-store';
import { PLANNABLE } from '../lib/work/cases/freeze';
import { freezeList } from '../lib/work/cases/listing';
import { freezePlan } from '../lib/work/cases/planning';

type Numbers = readonly { readonly nn: string }[];
interface Planned {
  /** What the next map works on: what is done is not asked for again. */
  readonly items: Numbers;
  /** Every item of the case, for the proof. */
  readonly all: Numbers;
  readonly tainted: boolean;
}

/** The wave steps act on it, or no step does. */
const NOT_ALONE: readonly ItemKind[] = ['taint', 'unplannable'];

export async function planner(request: StepRequest, deps: Deps<'planner'>): Promise<Planned> {
  const meta = await loadCase(deps, request, PLANNABLE);
  if (request.step === 'list') await freezeList(meta, request, deps);
  else if (request.step === 'plan') await freezePlan(meta, request, deps);
  else
    throw new CurfewError('ERR_INPUT_INVALID', 'the planner does not know this step', {
      got: request.step,
      allowed: ['list', 'plan'],
    });

  const items = await loadItems(deps, request.caseId);
  // What a later listing has that cannot be undone is claimed by the same map.
  const isOfStep = ({ phase, item }: StoredItem) =>
    request.step === 'list' ? phase === 'contain' || isListedLater(item) : phase === 'act';
  const ofStep = items.filter((stored) => isOfStep(stored) && !NOT_ALONE.includes(stored.item.kind));
  return {
    items: numbers(ofStep.filter(isOpen)),
    all: numbers(items),
    tainted: items.some(({ item }) => item.kind === 'taint'),
  };
}

function numbers(items: readonly StoredItem[]): Numbers {
  return items.map(({ item }) => ({ nn: item.nn }));
}

export const handler = entry('planner', planner);
