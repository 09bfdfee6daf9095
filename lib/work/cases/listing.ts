/**
 * What containment acts on: a list, frozen before anything is done. What comes up later is listed anew, and what is listed
 * once stays listed, so a step that asks again after a crash acts on the same things.
 */

import {
  type CaseMeta,
  type DepartureCase,
  departureOnly,
  exposureOnly,
  isGivenBack,
  isTakenBack,
} from '../../domain/cases/case';
import { listContainment } from '../../domain/cases/containment';
import { isTakenOnSince } from '../../domain/cases/departure';
import { listedRecord } from '../../domain/cases/records';
import { transition } from '../../domain/cases/transitions';
import type { StepRequest } from '../../domain/deployment/messages';
import { CASE_LIST, type FrozenList, type Target } from '../../domain/store/case-items';
import type { Deps } from '../../ports';
import { changeCase } from './case-store';
import { freezeNext, PLANNABLE } from './freeze';
import { isImported, type Known, knownPrincipals } from './load-people';
import { acceptedPrincipals, BEYOND } from './prove-again';
import { loadWorker } from './worker';

type PlannerDeps = Deps<'planner'>;

/** Every listing of a case together. */
export interface Listed {
  readonly isFrozen: boolean;
  /** Items of the first listing: the plan is numbered after them. */
  readonly firstItems: number;
  readonly principals: FrozenList['principals'];
  readonly targets: FrozenList['targets'];
}

export async function freezeList(meta: CaseMeta, request: StepRequest, deps: PlannerDeps): Promise<void> {
  // The end of a key contains nobody, and its key is in the record of the opening.
  if (meta.kind === 'taint') return;
  await freezeNext(meta, request, deps, {
    of: CASE_LIST,
    phase: ({ kind }) => (kind === 'login-profile' ? 'act' : 'contain'),
    may: (n) => mayList(n, meta, request, deps),
    draft: async (n, before) => {
      const list = await draftList(n, meta, before, deps);
      return n > 1 && list.principals.length === 0 ? undefined : list;
    },
    items: ({ principals }, n) => listContainment(principals, n),
    target: ({ targets }, item): Target =>
      ('ref' in item ? targets[item.ref]?.[item.kind === 'access-key' ? item.key : 0] : undefined) ?? {},
    change:
      async ({ principals }, n) =>
      (current, now) => ({
        set: {},
        outgoing: [{ record: listedRecord(current, n, principals, listContainment(principals, n), now) }],
      }),
  });
}

export async function listedOf(meta: CaseMeta, { tables }: PlannerDeps): Promise<Listed> {
  // The end of a key contains nobody.
  if (meta.kind === 'taint') return { isFrozen: true, firstItems: 0, principals: [], targets: {} };
  const lists = await tables.query(CASE_LIST.in(meta.caseId));
  return {
    isFrozen: lists.length > 0 && lists.every(({ state }) => state === 'FROZEN'),
    firstItems: listContainment(lists[0]?.principals ?? []).length,
    principals: lists.flatMap(({ principals }) => principals),
    targets: Object.assign({}, ...lists.map(({ targets }) => targets)),
  };
}

/** What a leaver comes to have after the first listing is contained too, as long as the case is open or rechecked. */
async function mayList(n: number, meta: DepartureCase, request: StepRequest, deps: PlannerDeps): Promise<boolean> {
  if (isGivenBack(meta)) return false;
  if (n === 1) return isKnown(meta, request, deps);
  // What is proved again is what was accepted, and no more.
  if (exposureOnly(meta) || meta.provesAgain !== undefined) return false;
  // A closed case is listed anew while the rechecker looks: until every session that was alive at containment is over.
  if (meta.state === 'CLOSED' && deps.clock.now() > (meta.rechecks?.until ?? 0)) return false;
  return !(await isTakenOnAgain(meta, deps));
}

async function isTakenOnAgain(meta: DepartureCase, deps: PlannerDeps): Promise<boolean> {
  const { said } = await loadWorker(deps, meta.workerId);
  return isTakenOnSince(meta, said, deps.clock.now());
}

/**
 * A worker of whom nothing was ever imported has nothing that could be listed, and that is no word that they have nothing:
 * the case waits, not contained, until an import names them. One that proves accepted items again has these to list, and waits
 * where HR has taken the worker on again.
 */
async function isKnown(meta: DepartureCase, request: StepRequest, deps: PlannerDeps): Promise<boolean> {
  const isUnknown =
    meta.givesBack === undefined &&
    (await (meta.provesAgain === undefined ? isNobody(meta, deps) : isTakenOnAgain(meta, deps)));
  await changeCase(deps, request, PLANNABLE, (current) =>
    (departureOnly(current).isUnknown ?? false) === isUnknown ? [] : transition(current, { isUnknown }),
  );
  return !isUnknown;
}

async function isNobody(meta: DepartureCase, deps: PlannerDeps): Promise<boolean> {
  return !(await isImported(meta.workerId, deps)) || isDoubted(meta, deps);
}

/**
 * One that has waited has shut nothing yet. Where HR has taken the departure back since, or moved it, or the worker is taken on
 * again, containing them now would lock out somebody who is there by right: people decide first.
 */
async function isDoubted(meta: DepartureCase, deps: PlannerDeps): Promise<boolean> {
  if (meta.isUnknown !== true) return false;
  return isTakenBack(meta) || isTakenOnAgain(meta, deps);
}

async function draftList(
  n: number,
  meta: DepartureCase,
  lists: readonly FrozenList[],
  deps: PlannerDeps,
): Promise<FrozenList> {
  const known = await draftPrincipals(n, meta, lists, deps);
  return {
    state: 'FREEZING',
    n,
    principals: known.map(({ ref }) => ref),
    targets: Object.fromEntries(known.map(({ ref, targets }) => [ref.ref, targets])),
  };
}

/** With those that were beyond what the case before could list, and come after those that it did. */
async function draftAccepted(meta: DepartureCase, deps: PlannerDeps): Promise<readonly Known[]> {
  const { known, beyond } = await acceptedPrincipals(meta, deps);
  if (beyond === undefined) return known;
  // No listing has the number 0: these references are new.
  const all = await knownPrincipals(meta.workerId, 0, deps);
  const isRest = ({ ref }: Known) => ref.ref === BEYOND;
  return [
    ...known,
    ...unlisted(
      all.filter((one) => !isRest(one)),
      beyond,
    ),
    ...all.filter(isRest),
  ];
}

async function draftPrincipals(n: number, meta: DepartureCase, lists: readonly FrozenList[], deps: PlannerDeps) {
  if (meta.provesAgain !== undefined) return draftAccepted(meta, deps);
  // A transfer ends custody, not access: there is no one to contain.
  return exposureOnly(meta) ? [] : unlisted(await knownPrincipals(meta.workerId, n, deps), lists);
}

/** Of a user who is listed already, the access keys that are not, and a console login that they did not have. */
function unlisted(known: readonly Known[], lists: readonly FrozenList[]): readonly Known[] {
  if (lists.length === 0) return known;
  const listed = lists.flatMap(({ principals, targets }) =>
    principals.flatMap((ref) => (targets[ref.ref] ?? []).map((target) => nameOf(ref, target))),
  );
  return known.flatMap(({ ref, targets }): Known[] => {
    const fresh = targets.filter((target) => !listed.includes(nameOf(ref, target)));
    const [{ arn, userName } = {}] = targets;
    const loginProfile = ref.type === 'iam-user' && ref.loginProfile && !hadLogin(arn, lists);
    if (fresh.length === 0 && !loginProfile) return [];
    if (ref.type !== 'iam-user') return [{ ref, targets: fresh }];
    const user = fresh.length > 0 ? fresh : [{ arn, userName }];
    return [{ ref: { ...ref, accessKeys: keysAmong(fresh), loginProfile }, targets: user }];
  });
}

function hadLogin(arn: string | undefined, lists: readonly FrozenList[]): boolean {
  return lists.some(({ principals, targets }) =>
    principals.some((one) => one.type === 'iam-user' && one.loginProfile && targets[one.ref]?.[0]?.arn === arn),
  );
}

/** Of a user, whether there is one at all counts: somebody who had none by then may have been made since. */
function nameOf(ref: FrozenList['principals'][number], target: Target): string {
  const what = ref.type === 'iam-user' ? ref.exists : ref.type === 'subject' ? ref.ring : ref.type;
  return JSON.stringify([what, target.arn, target.accessKeyId, target.value, target.kmsKeyArn]);
}

function keysAmong(targets: readonly Target[]): number {
  return targets.filter(({ accessKeyId }) => accessKeyId !== undefined).length;
}
