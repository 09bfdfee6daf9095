/**
 * The plan of a case, computed once from what is frozen in `case.inventory`, and the order of the whole workflow.
 *
 * Custody decides the response: to custody that could copy a key, `compromise`; to custody that could use,
 * deploy or administer it with `planned`, twice. Everything here stands in records in clear: rings, kids and custody
 * classes name no person. The offline verifier calls the same function.
 */
import { canonicalJson, H } from '../base/encoding';
import { ENDING, type EndingStepName } from '../rings/ending';
import type { KeyState, TaintClass } from '../rings/ring';
import {
  type EndedKeyRef,
  type ExposureRef,
  type Inventory,
  type PlannedItem,
  SHUT_KINDS,
  type ThingRef,
} from '../store/case-items';
import type { ExposureClass } from '../store/people';
import { itemNumber } from './containment';

export type { Inventory, PlannedItem } from '../store/case-items';
export { EXPOSURE_CLASSES, type ExposureClass } from '../store/people';

/** What each class of custody asks for. `again`: a session alive at containment can sign with the next key too. */
const RESPONSES: Readonly<Record<ExposureClass, { readonly taint: TaintClass; readonly again: boolean } | undefined>> =
  {
    'copied-possible': { taint: 'compromise', again: false },
    'could-use': { taint: 'planned', again: true },
    'could-deploy': { taint: 'planned', again: true },
    administers: { taint: 'planned', again: true },
    'reads-public': undefined,
  };

/** A key that is past these cannot be tainted and need not be: it is refused already. */
const OVER: readonly KeyState[] = ['DENIED', 'RETIRED'];

/** What a record of 65,535 bytes has room for, with the reason of each. */
export const EXPOSURES_MAX = 50;

/** Whether anything is done about such an exposure. */
export function asksForEnd({ class: of }: Pick<ExposureRef, 'class'>): boolean {
  return RESPONSES[of] !== undefined;
}

/** Whether somebody with such custody can sign with the next key too, as long as a session is alive. */
export function asksAgain({ class: of }: Pick<ExposureRef, 'class'>): boolean {
  return RESPONSES[of]?.again ?? false;
}

/** A plan covers an exposure of this ring, or this one key, by its class: whatever it then made of it is done, or open. */
export function isCovered(exposure: Omit<ExposureRef, 'ref'>, inventories: readonly Pick<Inventory, 'exposures'>[]) {
  const { ring, kid, class: of } = exposure;
  return inventories.some(({ exposures }) =>
    exposures.some((one) => one.ring === ring && one.kid === kid && one.class === of),
  );
}

/**
 * Pure, and the same items in the same order for the same inventory: taints, then console logins, then the next date,
 * then what cannot be planned. One stale exposure must not keep the other keys of a leaver good, so it is no error.
 */
export function planCase(inventory: Inventory): readonly PlannedItem[] {
  if (inventory.things !== undefined) return planRelease(inventory.things, inventory.firstItem);
  if (inventory.ends !== undefined) return planEnding(inventory.ends, inventory);
  const taints = planTaints(inventory);
  const logins = inventory.principals.flatMap((p) =>
    p.type === 'iam-user' && p.loginProfile ? [{ kind: 'login-profile' as const, ref: p.ref }] : [],
  );
  const rings = inventory.exposures
    .filter((e) => asksAgain(e) && keyExposed(e, inventory.keys) !== undefined)
    .map(({ ring }) => ring);
  const again = !inventory.followUp && rings.length > 0;
  const items = [
    ...taints,
    ...logins,
    ...(again ? [{ kind: 'rotate-again' as const, rings: [...new Set(rings)].sort() }] : []),
    ...listUnplannable(inventory),
  ];
  return items.map((item, index) => ({ nn: itemNumber(inventory.firstItem + index), ...item }));
}

/**
 * Newest first: what was shut last is opened first, and the tokens of the subject last, because a cut-off that was lifted
 * stands in a feed that everybody keeps.
 */
function planRelease(things: readonly ThingRef[], firstItem: number): readonly PlannedItem[] {
  const order = [...SHUT_KINDS].reverse();
  const sorted = order.flatMap((kind) => things.filter(({ thing }) => thing === kind));
  return sorted.map((thing, index) => ({ nn: itemNumber(firstItem + index), kind: 'release', ...thing }));
}

/**
 * The key that a responder ends. A DENIED one is joined: the records of its end name this case too. One that is RETIRED by
 * now is looked at all the same: only what was seen is over.
 */
function planEnding(
  { ring, kid, class: taintClass }: EndedKeyRef,
  { keys, firstItem }: Inventory,
): readonly PlannedItem[] {
  const key = keys.find((one) => one.ring === ring && one.kid === kid);
  const nn = itemNumber(firstItem);
  if (key === undefined || key.state === 'STANDBY')
    return [{ nn, kind: 'unplannable', ref: 'key', reason: `ring ${ring} has no key ${kid} that has issued` }];
  return [{ nn, kind: 'taint', ring, kid, class: taintClass, replace: key.state === 'ACTIVE', because: [] }];
}

/** One taint a kid, whatever the number of exposures; a compromise outweighs a planned replacement. */
function planTaints({ exposures, keys }: Inventory) {
  const taints = new Map<string, Omit<Extract<PlannedItem, { kind: 'taint' }>, 'nn'>>();
  for (const exposure of exposures) {
    const response = RESPONSES[exposure.class];
    if (response === undefined) continue;
    const key = keyExposed(exposure, keys);
    if (key === undefined || !isTaintable(key)) continue;

    const before = taints.get(`${key.ring}/${key.kid}`);
    taints.set(`${key.ring}/${key.kid}`, {
      kind: 'taint',
      ring: key.ring,
      kid: key.kid,
      class: before?.class === 'compromise' ? 'compromise' : response.taint,
      replace: key.state === 'ACTIVE',
      because: [...(before?.because ?? []), exposure.ref],
    });
  }
  // Compromised keys first: they are being used against us, the others only might be.
  return [...taints.values()].sort(
    (a, b) => a.class.localeCompare(b.class, 'en') || (`${a.ring}/${a.kid}` < `${b.ring}/${b.kid}` ? -1 : 1),
  );
}

function listUnplannable({ exposures, keys, omitted = 0 }: Inventory) {
  const stale = exposures.flatMap((exposure) => {
    const key = keyExposed(exposure, keys);
    if (!asksForEnd(exposure) || (key && key.state !== 'STANDBY')) return [];
    const reason = `ring ${exposure.ring} has no ${exposure.kid === undefined ? 'ACTIVE key' : `key ${exposure.kid} to taint`}`;
    return [{ kind: 'unplannable' as const, ref: exposure.ref, reason }];
  });
  const beyond = { kind: 'unplannable' as const, ref: 'more', reason: `${omitted} more exposures than one case lists` };
  return omitted > 0 ? [...stale, beyond] : stale;
}

/** The key that an exposure is of; the planner records no other. */
export function keyExposed<K extends Inventory['keys'][number]>(
  { ring, kid }: ExposureRef,
  keys: readonly K[],
): K | undefined {
  return keys.find((key) => key.ring === ring && (kid === undefined ? key.state === 'ACTIVE' : key.kid === kid));
}

function isTaintable({ state }: Inventory['keys'][number]): boolean {
  return state !== 'STANDBY' && !OVER.includes(state);
}

/** Names a frozen list: an approval, and a later reader, can say which one is meant. */
export function itemsSha(items: readonly object[]): string {
  return H(canonicalJson(items));
}

interface StepFields {
  readonly name: string;
  /** Why it stands here and not earlier or later. */
  readonly why: string;
  /** Passed over where nothing is tainted: there is no wave to wait for. */
  readonly onlyIfTainted?: true;
  /** Of a task: a clock does the same work again, so it is tried once here, and an error of it holds nothing up. */
  readonly mayFail?: true;
}

/**
 * One step of the state machine. A `task` and each unit of a `map` is one invocation with `{caseId, attempt, step}`,
 * and `nn` in a map; its answer is kept under the step's name, where later steps refer to it.
 *
 * - `map`: over items, each caught on its own: a poison item does not hold up the others, and the case stays open.
 * - `wave`: one resigner a batch, with `pass` added to the batch.
 * - `hold`: the execution ends here where the step named in `when` said so.
 * - `loop`: repeats, with a wave over the batches it answers and the wait it answers, until it is `done`.
 */
export type Step = StepFields &
  (
    | {
        readonly kind: 'task';
        readonly function: 'planner' | 'conductor' | 'rechecker' | 'closer';
        readonly step: string;
      }
    | { readonly kind: 'map'; readonly function: 'conductor' | 'prover'; readonly step: string; readonly over: string }
    | { readonly kind: 'wave'; readonly function: 'resigner'; readonly pass: number; readonly over: string }
    | { readonly kind: 'wait'; readonly setting: 'drainSeconds' | 'feedPollSeconds' }
    | { readonly kind: 'hold'; readonly when: string }
    | {
        readonly kind: 'loop';
        readonly function: 'conductor';
        readonly step: string;
        readonly until: string;
        readonly waitSeconds: string;
        readonly over: string;
        readonly pass: number;
      }
  );

/** How the state machine takes each step that ends a tainted key. */
const TAKEN = {
  prepare: { kind: 'task', function: 'conductor', step: 'prepare' },
  taint: { kind: 'task', function: 'conductor', step: 'taint' },
  'disable-compromised': { kind: 'task', function: 'conductor', step: 'disable-compromised' },
  drain: { kind: 'wait', setting: 'drainSeconds' },
  'disable-old': { kind: 'task', function: 'conductor', step: 'disable-old' },
  commit: { kind: 'task', function: 'conductor', step: 'commit' },
  poll: { kind: 'wait', setting: 'feedPollSeconds' },
  resign: { kind: 'wave', function: 'resigner', pass: 1, over: 'taint.batches' },
  'resign-again': { kind: 'wave', function: 'resigner', pass: 2, over: 'taint.batches' },
  deny: {
    kind: 'loop',
    function: 'conductor',
    step: 'deny',
    until: 'deny.done',
    waitSeconds: 'deny.waitSeconds',
    over: 'deny.batches',
    pass: 2,
  },
  'commit-again': { kind: 'task', function: 'conductor', step: 'commit' },
} as const satisfies Record<EndingStepName, object>;

const ENDING_STEPS: readonly Step[] = ENDING.map(({ name, why }) => ({
  name,
  why,
  onlyIfTainted: true,
  ...TAKEN[name],
}));
/** From here on the old key issues no more, and one that may have been copied does not sign either. */
const TAINTED = 1 + ENDING.findIndex(({ name }) => name === 'disable-compromised');

/** The order of a departure, read by the state machine, by the tests and by docs/departure.md. */
export const STEPS: readonly Step[] = [
  {
    name: 'list',
    kind: 'task',
    function: 'planner',
    step: 'list',
    why: 'containment acts on a frozen list: a step that asks again after a crash would not see what it has ended already',
  },
  {
    name: 'contain',
    kind: 'map',
    function: 'conductor',
    step: 'item',
    over: 'list.items',
    why: 'reversible and done in seconds, so it waits for no plan and no approval',
  },
  {
    name: 'announce',
    kind: 'task',
    function: 'conductor',
    step: 'announce',
    why: 'verifiers learn of a cut-off from the feed alone; without this they would at the next heartbeat',
  },
  {
    name: 'contained',
    kind: 'task',
    function: 'conductor',
    step: 'contained',
    why: 'says which items were read back and which are open; an open one keeps the case open, and nothing else waiting',
  },
  {
    name: 'plan',
    kind: 'task',
    function: 'planner',
    step: 'plan',
    why: 'after containment, so that the inventory is of someone who can add nothing to it any more; a list, and no act',
  },
  ...ENDING_STEPS.slice(0, TAINTED),
  {
    name: 'recheck',
    kind: 'task',
    function: 'rechecker',
    step: 'recheck',
    mayFail: true,
    why: 'a script of the leaver opens within seconds what was shut; the clock of the rechecker strikes once a minute',
  },
  {
    name: 'act',
    kind: 'map',
    function: 'conductor',
    step: 'item',
    over: 'plan.items',
    why: 'before the waves: a console login need not outlive a grace of days that holders have to collect in',
  },
  ...ENDING_STEPS.slice(TAINTED),
  {
    name: 'relist',
    kind: 'task',
    function: 'planner',
    step: 'list',
    why: 'a key that was made after the first list was frozen is listed and shut before anybody says that all is shut',
  },
  {
    name: 'reshut',
    kind: 'map',
    function: 'conductor',
    step: 'item',
    over: 'relist.items',
    why: 'what was listed since, and whatever of the first list is still open',
  },
  {
    name: 'prove',
    kind: 'map',
    function: 'prover',
    step: 'prove',
    over: 'relist.all',
    why: 'observed from outside the steps that acted, after the last of them: an answer of "done" proves nothing',
  },
  {
    name: 'close',
    kind: 'task',
    function: 'closer',
    step: 'close',
    why: 'refuses while one item is not proved: the case stays open and says which',
  },
  {
    name: 'hold',
    kind: 'hold',
    when: 'close.held',
    why: 'a doubt keeps each step that cannot be undone from being claimed; here the case rests until people decide',
  },
  {
    name: 'seal',
    kind: 'task',
    function: 'closer',
    step: 'seal',
    why: 'until every expected record has an index in the tree, the record of the closing included',
  },
];
