/**
 * The records of one case, sorted into what a reader asks for: its stages, its items with their proof, its key rings.
 *
 * Nothing here is believed further than the record says it. An item counts as proved when what was observed is what
 * proof.ts asks for, judged again here, and not because a record of that type exists.
 */

import type { IndexedRecord } from '../domain/audit/bundle';
import { recordsOfCase } from '../domain/audit/case-records';
import { type ItemKind, proveItem } from '../domain/cases/proof';
import type { EvidenceRecord, RecordType } from '../domain/evidence/record';
import { isMembers, type Members, object, objects, text, texts, whole } from './fields';

/** A plan, and what it was made from; one that waits for the other is not whole. */
interface PlanFacts {
  readonly inventory?: IndexedRecord;
  readonly planned?: IndexedRecord;
}

export interface ItemFacts {
  readonly nn: string;
  readonly kind: string;
  /** The item as it was frozen. */
  readonly item: Members;
  /** `case.listed` or `case.planned`: where it was frozen. */
  readonly frozen: IndexedRecord;
  /** What was recorded of its target before anything was done. */
  readonly before?: IndexedRecord;
  /** Done, and read back by the step that did it. */
  readonly done?: IndexedRecord;
  /** Observed afterwards from outside that step. */
  readonly observed?: IndexedRecord;
  readonly proved: boolean;
  /** Two people accepted that it is open, and until when. */
  readonly accepted?: IndexedRecord;
}

export interface CaseFacts {
  readonly caseId?: string;
  readonly stages: Readonly<Partial<Record<RecordType, IndexedRecord>>>;
  readonly items: readonly ItemFacts[];
  /** The first of what was known, a later one of what was imported since. */
  readonly plans: readonly PlanFacts[];
  /** Questions that nobody and nothing has ended. */
  readonly openQuestions: number;
  /** Everything recorded of the rings that the case touches, in the order in which it happened. */
  readonly rings: readonly IndexedRecord[];
  /** When HR said so: what all other times are counted from. */
  readonly origin?: number;
}

/** What an observation of each kind must say at all; one that says nothing is no proof of anything. */
const ANSWERS: Readonly<Record<ItemKind, readonly [member: string, type: 'boolean' | 'string' | 'number']>> = {
  'cut-off': ['blocked', 'boolean'],
  latch: ['exists', 'boolean'],
  'access-key': ['status', 'string'],
  'personal-key': ['kmsState', 'string'],
  'login-profile': ['exists', 'boolean'],
  taint: ['state', 'string'],
  'rotate-again': ['dueAt', 'number'],
  release: ['open', 'boolean'],
  unplannable: ['reason', 'string'],
};

export function factsOf(records: readonly IndexedRecord[], caseId: string | undefined): CaseFacts {
  const own = records.filter(
    ({ record }) => caseId !== undefined && record.case === caseId && record.ring === undefined,
  );
  // The first of its kind has the bare name; what comes later, or is of nobody's making, stands for no stage.
  const ofType = (type: RecordType) => named(type) ?? own.find(({ record }) => record.type === type);
  const named = (type: RecordType) =>
    own.find(({ record }) => record.type === type && record.id === `${caseId}/${type.slice('case.'.length)}`);
  const types = [...new Set(own.map(({ record }) => record.type))].filter((type) => type.startsWith('case.'));
  const stages = Object.fromEntries(types.map((type) => [type, ofType(type)]));
  const plans = plansOf(own);
  const rings = ringsOf(records, caseId, plans);
  return {
    caseId,
    stages,
    openQuestions: count(own, 'case.asked') - count(own, 'case.went-on'),
    items: [
      ...own
        .filter(({ record }) => record.type === 'case.listed')
        .flatMap((listed) => itemsOf(records, listed, stages['case.listed'])),
      ...plans.flatMap(({ planned, inventory }) => (planned ? itemsOf(records, planned, inventory) : [])),
    ],
    plans,
    rings: records
      .filter(({ record }) => record.ring !== undefined && rings.has(record.ring) && !isItem(record))
      .sort(happenedBefore),
    origin: whole(stages['case.opened']?.record.body, 'hrEventAt') ?? stages['case.opened']?.record.at,
  };
}

/** In the order of their numbers, however the log has them. */
function plansOf(own: readonly IndexedRecord[]): readonly PlanFacts[] {
  const numbered = own
    .filter(({ record: { type } }) => type === 'case.inventory' || type === 'case.planned')
    .map((one) => ({ one, type: one.record.type, n: whole(one.record.body, 'n') ?? 1 }));
  const find = (of: RecordType, n: number) => numbered.find((made) => made.type === of && made.n === n)?.one;
  return [...new Set(numbered.map(({ n }) => n))]
    .sort((a, b) => a - b)
    .map((n) => ({ inventory: find('case.inventory', n), planned: find('case.planned', n) }));
}

function count(records: readonly IndexedRecord[], type: RecordType): number {
  return records.filter(({ record }) => record.type === type).length;
}

/** A case that ends a key because a responder asked for it: it is about nobody. */
export function endsAKey({ stages }: CaseFacts): boolean {
  return text(stages['case.opened']?.record.body, 'kind') === 'taint';
}

/** A case that ends custody only: of somebody who stays, or the second rotation after a first case. */
export function isExposureOnly({ stages }: CaseFacts): boolean {
  const opened = stages['case.opened']?.record.body;
  return text(opened, 'act') === 'custody' || text(opened, 'followUpOf') !== undefined;
}

function itemsOf(
  records: readonly IndexedRecord[],
  frozen: IndexedRecord,
  before: IndexedRecord | undefined,
): ItemFacts[] {
  return objects(frozen.record.body, 'items').map((item) => {
    const [nn, kind] = [text(item, 'nn') ?? '', text(item, 'kind') ?? ''];
    const named = (phase: string) =>
      records.find(({ record }) => record.id === `${frozen.record.case}/item/${nn}/${phase}`);
    const observed = named('proved');
    return {
      nn,
      kind,
      item,
      frozen,
      before: kind === 'rotate-again' ? undefined : before,
      done: named('contained') ?? named('done'),
      observed,
      accepted: records.find(
        ({ record: { type, case: of, body } }) =>
          type === 'case.accepted' && of === frozen.record.case && objects(body, 'items').some((one) => one.nn === nn),
      ),
      proved: observed !== undefined && isProof(kind, object(observed.record.body, 'observed')),
    };
  });
}

function isProof(kind: string, observed: Members | undefined): boolean {
  if (observed === undefined || !isItemKind(kind)) return false;
  const [member, type] = ANSWERS[kind];
  const { sign, standbys } = observed;
  const answered =
    typeof observed[member] === type &&
    (sign === undefined || isMembers(sign)) &&
    (standbys === undefined || (Array.isArray(standbys) && standbys.every(isMembers)));
  return answered && proveItem(kind, observed as never).ok === true;
}

function isItemKind(kind: string): kind is ItemKind {
  return Object.hasOwn(ANSWERS, kind);
}

function ringsOf(
  records: readonly IndexedRecord[],
  caseId: string | undefined,
  plans: readonly PlanFacts[],
): ReadonlySet<string> {
  const touched =
    caseId === undefined
      ? []
      : recordsOfCase(
          records.map(({ record }) => record),
          caseId,
        ).flatMap(({ ring }) => ring ?? []);
  return new Set([
    ...touched,
    ...plans.flatMap(({ inventory }) =>
      objects(inventory?.record.body, 'exposures').flatMap((exposure) => text(exposure, 'ring') ?? []),
    ),
  ]);
}

function isItem({ type }: EvidenceRecord): boolean {
  return type.startsWith('item.');
}

/** Places in the tree follow the outbox, which may pass two records of one second in either order; ids do not. */
function happenedBefore(a: IndexedRecord, b: IndexedRecord): number {
  if (a.record.at !== b.record.at) return a.record.at - b.record.at;
  return a.record.id.localeCompare(b.record.id, 'en', { numeric: true }) || a.index - b.index;
}

/** The classes of custody for which the plan taints a key. */
export function exposureBehind(item: Members, inventory: IndexedRecord | undefined): readonly string[] {
  const because = texts(item, 'because');
  const exposures = objects(inventory?.record.body, 'exposures').filter((exposure) =>
    because.includes(text(exposure, 'ref') ?? ''),
  );
  return [...new Set(exposures.flatMap((exposure) => text(exposure, 'class') ?? []))];
}
