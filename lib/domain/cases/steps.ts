/** The order of the whole workflow of a case: read by the state machine, by the tests and by docs/departure.md. */
import { ENDING, type EndingStepName } from '../rings/ending';

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
