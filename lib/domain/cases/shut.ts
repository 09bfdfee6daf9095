/** What containment shuts, for which cases, and when a give-back may open it again. */
import { canonicalJson, H } from '../base/encoding';
import type { DepartureCase, Question } from '../store/case';
import type { CaseItem, ShutKind, Target } from '../store/case-items';
import { SHUT_KINDS } from '../store/case-items';
import { put } from '../store/entity';
import type { RowKey } from '../store/table';
import { ROW_ABSENT, type Test, type Write } from '../store/table';
import { SHUT, type Shut } from '../store/worker';
import { digestOfAll } from './questions';
import type { Worker } from './schedule';

/** An effect that shuts a thing may still be under way so long after it was written down: as long as its Lambda may run. */
const SHUTTING_SECONDS_MAX = 180;
/** A give-back opens a thing within this of having claimed it, or claims it anew. */
const OPENING_SECONDS_MAX = 120;

export type ShutThing = Shut & { readonly key: RowKey };

export function shutKindOf({ kind }: CaseItem): ShutKind | undefined {
  return SHUT_KINDS.find((one) => one === kind);
}

/** Names the thing itself, whichever item it is of whichever case. */
export function thingDigest(ring: string | undefined, target: Target): string {
  return H(canonicalJson({ ring, ...target }));
}

/**
 * The case adds itself to those that want the thing shut. Cases that were given back, and closed ones after which somebody
 * opened the thing again, want it no more; where none is left, it is found anew. A give-back that is about to open the thing
 * loses it: its opener looks whether it still has it.
 */
export function shutWrites(
  { workerId, caseId }: { readonly workerId: string; readonly caseId: string },
  thing: Pick<Shut, 'kind' | 'ring' | 'target'>,
  before: Shut | undefined,
  {
    found,
    cases,
    now,
  }: { readonly found: Shut['found']; readonly cases: readonly DepartureCase[]; readonly now: number },
): readonly Write<'cases:put'>[] {
  const wantsNoMore = (id: string) => {
    const meta = cases.find((one) => one.caseId === id);
    return meta?.givenBackAt !== undefined || (meta?.closedAt !== undefined && found === 'open');
  };
  const others = (before?.caseIds ?? []).filter((id) => id !== caseId && !wantsNoMore(id));
  const isMine = before?.caseIds.includes(caseId) ?? false;
  const caseIds = [...others, caseId];
  const row: Shut = {
    ...thing,
    found: before !== undefined && (others.length > 0 || isMine) ? before.found : found,
    caseIds,
    ...(caseIds.length === 1 && { soleCase: caseId }),
    shuttingAt: now,
  };
  const unchanged: readonly Test[] = before === undefined ? ROW_ABSENT : [sole(before)];
  return [put(SHUT, [workerId, thing.kind, thingDigest(thing.ring, thing.target)], row, unchanged)];
}

export function sole({ soleCase }: Shut): Test {
  return soleCase === undefined
    ? { attribute: 'soleCase', is: 'absent' }
    : { attribute: 'soleCase', is: '=', value: soleCase };
}

/** Is it being shut at this moment? Whoever opens it waits, or the slow one would shut it after it was opened. */
export function isBeingShut({ shuttingAt }: Shut, now: number): boolean {
  return shuttingAt !== undefined && now < shuttingAt + SHUTTING_SECONDS_MAX;
}

/** May this give-back open it now? It claimed it a moment ago, and nobody has shut it since. */
export function isOpenedBy({ openingBy, openingAt }: Shut, caseId: string, now: number): boolean {
  return openingBy === caseId && openingAt !== undefined && now < openingAt + OPENING_SECONDS_MAX;
}

/** Things that no case wants shut once this one is given back, and that we shut ourselves. */
export function opensWith<S extends Shut>(
  shut: readonly S[],
  caseId: string,
  cases: readonly DepartureCase[],
): readonly S[] {
  return shut.filter(
    (thing) =>
      thing.found === 'open' && thing.caseIds.includes(caseId) && wantedBeside(thing, caseId, cases).length === 0,
  );
}

function wantedBeside({ caseIds }: Shut, caseId: string, cases: readonly DepartureCase[]): readonly string[] {
  const isGivenBack = (id: string) => cases.some((meta) => meta.caseId === id && meta.givenBackAt !== undefined);
  return caseIds.filter((id) => id !== caseId && !isGivenBack(id));
}

/** The case is given back: it wants nothing shut any more. What it alone wanted waits for its give-back to open it. */
export function settleShut(
  workerId: string,
  shut: readonly ShutThing[],
  caseId: string,
  cases: readonly DepartureCase[],
): readonly Write<'cases:put' | 'cases:delete'>[] {
  return shut
    .filter(({ caseIds }) => caseIds.includes(caseId))
    .flatMap((thing): Write<'cases:put' | 'cases:delete'>[] => {
      const { key, ...row } = thing;
      const others = wantedBeside(thing, caseId, cases);
      const unchanged = [sole(thing)];
      if (others.length === 0 && thing.found === 'shut')
        return [{ kind: 'delete', table: 'cases', key, if: unchanged }];
      const caseIds = others.length === 0 ? [caseId] : others;
      const { soleCase: _sole, ...rest } = row;
      const next: Shut = { ...rest, caseIds, ...(caseIds.length === 1 && { soleCase: caseIds[0] }) };
      return [put(SHUT, [workerId, thing.kind, thingDigest(thing.ring, thing.target)], next, unchanged)];
    });
}

/**
 * What an approver must have had before them: of a question, the statements that it is about; of a give-back, all statements
 * of today and the list of what is opened.
 */
export function aboutOf(
  decision: 'go-on' | 'give-back',
  {
    question,
    worker,
    shut,
    caseId,
  }: {
    readonly question?: Question;
    readonly worker: Pick<Worker, 'said' | 'cases'>;
    readonly shut: readonly ShutThing[];
    readonly caseId: string;
  },
): string {
  if (decision === 'go-on') return question?.about ?? '';
  const opens = opensWith(shut, caseId, worker.cases).map(({ key, byHand }) => (byHand ? `${key.sk} by hand` : key.sk));
  return H(canonicalJson({ said: digestOfAll(worker.said), opens: opens.sort() }));
}

type Opening = Pick<DepartureCase, 'givesBack' | 'openedAt'>;

function isAnother({ givenBackAt, closedAt, openedAt, act }: DepartureCase, giveBack: Opening): boolean {
  const isOver = closedAt !== undefined && openedAt < giveBack.openedAt;
  return givenBackAt === undefined && !isOver && act !== 'custody';
}

/** Why a give-back of this case stops: the worker departs again, and what is open is shut again. */
export function departsAgain({ schedule, cases }: Worker, giveBack: Opening, now: number): boolean {
  const isDue = schedule?.dueAt !== undefined && schedule.dueAt <= now;
  return isDue || cases.some((meta) => meta.caseId !== giveBack.givesBack && isAnother(meta, giveBack));
}
