/** What containment shuts, for which cases, and when a give-back may open it again. */
import { canonicalJson, H } from '../base/encoding';
import type { Decision } from '../store/approval';
import type { CaseMeta, Question } from '../store/case';
import type { CaseItem, ShutKind, Target } from '../store/case-items';
import { SHUT_KINDS } from '../store/case-items';
import { put } from '../store/entity';
import type { RowKey } from '../store/table';
import { ROW_ABSENT, type Test, type Write } from '../store/table';
import { type Said, SHUT, type Shut } from '../store/worker';
import { digestOfAll } from './questions';
import type { Worker } from './schedule';

/** A give-back that crashed between its claim and its effect is not waited for longer than this. */
const OPENING_SECONDS_MAX = 120;

export function shutKindOf({ kind }: CaseItem): ShutKind | undefined {
  return SHUT_KINDS.find((one) => one === kind);
}

/** Names the thing itself, whichever item it is of whichever case. */
export function thingDigest(ring: string | undefined, target: Target): string {
  return H(canonicalJson({ ring, ...target }));
}

/** The case adds itself to those that want the thing shut; none where it is among them. */
export function shutWrites(
  { workerId, caseId }: { readonly workerId: string; readonly caseId: string },
  thing: Pick<Shut, 'kind' | 'ring' | 'target'>,
  before: Shut | undefined,
  found: Shut['found'],
): readonly Write<'cases:put'>[] {
  if (before?.caseIds.includes(caseId)) return [];
  const caseIds = [...(before?.caseIds ?? []), caseId];
  const row: Shut = {
    ...thing,
    found: before?.found ?? found,
    caseIds,
    ...(caseIds.length === 1 && { soleCase: caseId }),
  };
  const unchanged: readonly Test[] = before === undefined ? ROW_ABSENT : [sole(before)];
  return [put(SHUT, [workerId, thing.kind, thingDigest(thing.ring, thing.target)], row, unchanged)];
}

function sole({ soleCase }: Shut): Test {
  return soleCase === undefined
    ? { attribute: 'soleCase', is: 'absent' }
    : { attribute: 'soleCase', is: '=', value: soleCase };
}

/** Is a give-back opening it at this moment? Whoever shuts it waits until that is done. */
export function isOpening({ openingAt }: Shut, now: number): boolean {
  return openingAt !== undefined && now < openingAt + OPENING_SECONDS_MAX;
}

/** Things that this case wants shut and nobody else does, and that we shut ourselves. */
export function opensWith<S extends Shut>(shut: readonly S[], caseId: string): readonly S[] {
  return shut.filter(({ soleCase, found }) => soleCase === caseId && found === 'open');
}

/**
 * What an approver must have had before them: of a question, the statements that it is about; of a give-back, all statements
 * of today and the list of what is opened.
 */
export function aboutOf(
  decision: Decision,
  {
    question,
    said,
    shut,
    caseId,
  }: {
    readonly question?: Question;
    readonly said: readonly Said[];
    readonly shut: readonly (Shut & { readonly key: RowKey })[];
    readonly caseId: string;
  },
): string {
  if (decision === 'go-on') return question?.about ?? '';
  const opens = opensWith(shut, caseId).map(({ key }) => key.sk);
  return H(canonicalJson({ said: digestOfAll(said), opens: opens.sort() }));
}

function isAnother({ givenBackAt, closedAt, openedAt, act }: CaseMeta, giveBack: CaseMeta): boolean {
  const isOver = closedAt !== undefined && openedAt < giveBack.openedAt;
  return givenBackAt === undefined && !isOver && act !== 'custody';
}

/** Why a give-back of this case stops: the worker departs again, and what is open is shut again. */
export function departsAgain({ schedule, cases }: Worker, giveBack: CaseMeta, now: number): boolean {
  const isDue = schedule?.dueAt !== undefined && schedule.dueAt <= now;
  return isDue || cases.some((meta) => meta.caseId !== giveBack.givesBack && isAnother(meta, giveBack));
}
