/**
 * The manifest of a case: which records must exist, recomputed from what was recorded as input, never from the plan.
 *
 * A hash chain does not see a record that was never written. `case.listed` and `case.inventory` say what there was;
 * the planners that the workflow runs say what had to be done about it; every item then owes its records. A plan that
 * was recorded otherwise than its inputs ask for contradicts itself, and the case is not complete.
 */
import { canonicalJson, type Json, type JsonObject } from '../base/encoding';
import { CurfewError } from '../base/errors';
import { type ContainmentItem, listContainment, type PrincipalRef } from '../cases/containment';
import { type Inventory, type PlannedItem, planCase } from '../cases/plan';
import { type ItemKind, proveItem } from '../cases/proof';
import type { EvidenceRecord, RecordType } from '../evidence/record';
import { checkDecisions } from './decisions';
import { checkInventory } from './key-states';

/** Stages of a case in their order; `case.followed-up` only where a second rotation is owed. */
const STAGES: readonly RecordType[] = [
  'case.opened',
  'case.listed',
  'case.contained',
  'case.inventory',
  'case.planned',
  'case.followed-up',
  'case.closed',
];
/** Of a case that ends a key: there is nobody to contain. */
const OF_PEOPLE: readonly RecordType[] = ['case.listed', 'case.contained'];
/** What each kid tainted by the plan owes, in the order in which it happens. The ring's fence is in their ids. */
const KEY_RECORDS = ['key.tainted', 'wave.completed', 'key.denied'] as const satisfies readonly RecordType[];

/** Ids of the records that this case owes, as far as its recorded inputs tell by now. */
export function expectedRecords(records: readonly EvidenceRecord[]): string[] {
  const caseId = caseOf(records);
  if (isGivenBack(records)) {
    // One that waited for an import was given back before anything was listed.
    const wasContained = ownRecord(records, 'closed')?.body.containedAt !== undefined;
    return ['opened', ...(wasContained ? ['listed'] : []), 'closed'].map((name) => `${caseId}/${name}`);
  }
  // Of a give-back that another departure overtook.
  const isGiveBack = records.find(({ type, case: of }) => type === 'case.opened' && of === caseId)?.body.givesBack;
  const left = isGiveBack && records.find(({ type, case: of }) => type === 'case.closed' && of === caseId)?.body.open;
  const isLeft = (nn: string) => Array.isArray(left) && left.includes(nn);
  const containment = inputsOf(records).containment ?? [];
  const plan = inputsOf(records).plan ?? [];
  const followUp = plan.some(({ kind }) => kind === 'rotate-again');
  const stages = STAGES.filter(
    (type) => (type !== 'case.followed-up' || followUp) && !(endsKey(records) && OF_PEOPLE.includes(type)),
  );
  return [
    ...stages.map((type) => `${caseId}/${type.slice('case.'.length)}`),
    ...laterListings(records).map(({ n }) => `${caseId}/listed/${n}`),
    ...containment.flatMap(({ nn, kind }) => [
      // A console login cannot be given back: removed, and not contained.
      `${caseId}/item/${nn}/${kind === 'login-profile' ? 'done' : 'contained'}`,
      `${caseId}/item/${nn}/proved`,
    ]),
    ...plan.flatMap(({ nn }) => (isLeft(nn) ? [] : [`${caseId}/item/${nn}/done`, `${caseId}/item/${nn}/proved`])),
  ];
}

interface ExpectedKeyRecord {
  readonly type: (typeof KEY_RECORDS)[number] | 'key.retired';
  readonly kid: string;
}

/**
 * Records of the rings that this case owes: by type and kid, among those that name the case. A key whose last token ran out
 * while the case was open was not tainted any more: its retirement is owed, which names no case.
 */
export function expectedKeyRecords(
  records: readonly EvidenceRecord[],
  ofRings: readonly EvidenceRecord[],
): ExpectedKeyRecord[] {
  const plan = inputsOf(records).plan ?? [];
  const kids = plan.flatMap((item) => (item.kind === 'taint' ? [item.kid] : []));
  // Of a departure that was given back, what was begun has to have ended.
  const owed = isGivenBack(records)
    ? kids.filter((kid) => findKeyRecord(records, { type: 'key.tainted', kid }) !== undefined)
    : kids;
  const opened = ownRecord(records, 'opened')?.at ?? Number.POSITIVE_INFINITY;
  const own = recordsOfCase([...records, ...ofRings], caseOf(records));
  const isTainted = (kid: string) => findKeyRecord(own, { type: 'key.tainted', kid }) !== undefined;
  const wasRetired = (kid: string) =>
    ofRings.some(({ type, body, at }) => type === 'key.retired' && body.kid === kid && at >= opened);
  return owed.flatMap((kid): ExpectedKeyRecord[] =>
    wasRetired(kid) && !isTainted(kid) ? [{ type: 'key.retired', kid }] : KEY_RECORDS.map((type) => ({ type, kid })),
  );
}

/** What was listed after the first list: nothing says that there had to be one. */
function laterListings(records: readonly EvidenceRecord[]) {
  const listings = listingsOf(records).filter(({ body }) => body.n !== 1);
  return listings.map((record) => ({
    n: Number(record.body.n),
    record,
    items: itemsListed(record).map(({ nn }) => nn),
  }));
}

/** By its id: another record of the type, whatever it says, stands in for none. */
function ownRecord(records: readonly EvidenceRecord[], name: string): EvidenceRecord | undefined {
  const caseId = caseOf(records);
  return records.find(({ id, case: of }) => id === `${caseId}/${name}` && of === caseId);
}

function listingsOf(records: readonly EvidenceRecord[]): readonly EvidenceRecord[] {
  const caseId = caseOf(records);
  return records.filter(({ type, case: of }) => type === 'case.listed' && of === caseId);
}

/** A responder asked to end a key: there is no departure. */
function endsKey(records: readonly EvidenceRecord[]): boolean {
  return ownRecord(records, 'opened')?.body.kind === 'taint';
}

/** Two people gave the departure back: `decisions.ts` asks whether they did. */
function isGivenBack(records: readonly EvidenceRecord[]): boolean {
  const caseId = caseOf(records);
  const own = (of: RecordType) =>
    records.find(({ type, case: given, ring }) => type === of && given === caseId && !ring);
  const wasGivenBack = records.some(
    ({ type, case: of, ring, body }) => type === 'case.went-on' && of === caseId && !ring && body.by === 'give-back',
  );
  // Given back after it was closed, it owes all that it owed when it was.
  const closed = own('case.closed');
  return wasGivenBack && (closed === undefined || closed.body.givenBackAt !== undefined);
}

/** Records of the case itself and those of rings that carry it. */
export function recordsOfCase<T extends EvidenceRecord>(records: readonly T[], caseId: string): T[] {
  return records.filter(
    ({ case: of, body }) => of === caseId || (Array.isArray(body.cases) && body.cases.includes(caseId)),
  );
}

/** Throws unless every expected record of the case is there, and the frozen lists are what their inputs ask for. */
export function checkManifest(all: readonly EvidenceRecord[], caseId: string): { readonly expected: number } {
  const records = recordsOfCase(all, caseId);
  if (!records.some(({ type, case: of }) => type === 'case.opened' && of === caseId))
    throw new CurfewError('ERR_EVIDENCE_INCOMPLETE', `there is no case ${caseId} in this log`, { got: caseId });

  checkReadable(records);
  checkDecisions(all, caseId);
  const { plan } = inputsOf(records);
  checkInputs(records, all);
  checkListings(records);
  for (const record of listingsOf(records)) checkFrozen(record, itemsListed(record));
  const planned = ownRecord(records, 'planned');
  if (plan && planned) checkFrozen(planned, plan);

  const ids = new Set(records.filter((record) => record.case === caseId).map(({ id }) => id));
  const expected = expectedRecords(records);
  const expectedOfKeys = expectedKeyRecords(records, all);
  const missing = [
    ...expected.filter((id) => !ids.has(id)),
    ...expectedOfKeys
      .filter((key) => !findKeyRecord(key.type === 'key.retired' ? all : records, key))
      .map(({ type, kid }) => `${type} of ${kid}`),
  ];
  const retired = expectedOfKeys.flatMap(({ type, kid }) => (type === 'key.retired' ? [kid] : []));
  if (missing.length === 0) checkProofs(records, caseId, retired);
  if (missing.length > 0)
    throw new CurfewError(
      'ERR_EVIDENCE_INCOMPLETE',
      `${missing.length} expected records are missing: ${missing.join(', ')}`,
      {
        got: missing,
      },
    );
  return { expected: expected.length + expectedOfKeys.length };
}

/**
 * What such a row meant to record nobody knows: it may have been held, or a second plan. All that is owed being there does
 * not make the case whole, and nothing that comes later takes it back.
 */
function checkReadable(records: readonly EvidenceRecord[]): void {
  const unreadable = records.filter(({ type }) => type === 'record.unreadable').map(({ id }) => id);
  if (unreadable.length === 0) return;
  throw new CurfewError(
    'ERR_EVIDENCE_INCOMPLETE',
    `${unreadable.length} records of the case could not be read before they reached the log: ${unreadable.join(', ')}`,
    { got: unreadable, fix: 'the run-book says under RecordUnreadable how to find the row' },
  );
}

/**
 * Throws if anything claims to have happened before what it follows from. By the instants that the transactions
 * recorded: places in the tree follow the outbox, which may pass two records of one second in either order.
 */
export function checkOrder(all: readonly EvidenceRecord[], caseId: string): void {
  const records = recordsOfCase(all, caseId);
  const { containment = [], plan = [] } = inputsOf(records);
  const byId = new Map(records.map((record) => [record.id, record]));
  const item = (nn: string, phase: string) => byId.get(`${caseId}/item/${nn}/${phase}`);
  const stage = (type: RecordType) => records.find((record) => record.type === type && record.case === caseId);
  // What was still open when the case went on may be done later; its proof is owed all the same.
  const { open = [] } = (stage('case.contained')?.body ?? {}) as { readonly open?: readonly string[] };
  const keyRecords = (kid: string) => KEY_RECORDS.map((type) => findKeyRecord(records, { type, kid }));

  const chains = [
    STAGES.filter((type) => type !== 'case.followed-up').map(stage),
    ...containment.map(({ nn }) => {
      const later = laterListings(records).find(({ items }) => items.includes(nn));
      const isFirst = later === undefined && !open.includes(nn);
      return [
        later?.record ?? stage('case.listed'),
        item(nn, 'contained'),
        ...(isFirst ? [stage('case.contained')] : []),
      ];
    }),
    ...[...containment, ...plan].map(({ nn }) => [stage('case.listed'), item(nn, 'proved'), stage('case.closed')]),
    ...plan.map(({ nn }) => [stage('case.planned'), item(nn, 'done'), item(nn, 'proved')]),
    ...plan.flatMap((planned) =>
      planned.kind === 'taint' ? [[stage('case.planned'), ...keyRecords(planned.kid), stage('case.closed')]] : [],
    ),
  ];
  for (const chain of chains) checkChain(chain.filter((record) => record !== undefined));
}

function checkChain(chain: readonly EvidenceRecord[]): void {
  for (const [i, after] of chain.entries()) {
    const before = chain[i - 1];
    if (before && after.at < before.at)
      throw new CurfewError('ERR_EVIDENCE_RECORD', `${after.id} is dated before ${before.id}, which it follows`, {
        got: after.at,
        allowed: `${before.at} or later`,
      });
  }
}

/** The planners over the recorded inputs; undefined where an input is not recorded yet. */
function inputsOf(records: readonly EvidenceRecord[]) {
  const listed = listingsOf(records);
  const inventory = ownRecord(records, 'inventory');
  try {
    return {
      containment: listed.length === 0 ? undefined : listed.flatMap(itemsListed),
      firstItems: listed.filter(({ body }) => body.n === 1).flatMap(itemsListed).length,
      plan: inventory && planCase(inventory.body as unknown as Inventory),
    };
  } catch (cause) {
    throw new CurfewError('ERR_EVIDENCE_RECORD', 'the planner rejects the recorded inputs of the case', { cause });
  }
}

/** Nothing that is owed may depend on a lie that the log itself gives away. */
function checkInputs(records: readonly EvidenceRecord[], all: readonly EvidenceRecord[]): void {
  const [opened, inventory] = [ownRecord(records, 'opened'), ownRecord(records, 'inventory')];
  if (inventory === undefined) return;
  checkInventory(inventory, all);
  const { followUp, things, ends } = inventory.body;
  const { followUpOf, givesBack, kind, ring, kid, class: taintClass } = opened?.body ?? {};
  const isSo = [
    ['followUp', followUp !== false, followUpOf !== undefined, 'follows another'],
    ['things', things !== undefined, givesBack !== undefined, 'gives another back'],
    ['ends', ends !== undefined, kind === 'taint', 'ends a key'],
  ] as const;
  for (const [member, is, asked, what] of isSo)
    if (is !== asked)
      throw new CurfewError(
        'ERR_EVIDENCE_RECORD',
        `${inventory.id} ${is ? 'has' : 'lacks'} ${member}, and ${opened?.id} ${asked ? 'says' : 'does not say'} that the case ${what}`,
        { got: is, allowed: asked },
      );
  if (kind === 'taint') checkEnded(inventory, { ring, kid, class: taintClass } as JsonObject);
}

/** One key, the one that the case was opened for, in the state that the ring's records tell. */
function checkEnded({ id, body }: EvidenceRecord, asked: JsonObject): void {
  const { ends = null, keys = null } = body;
  const listed = Array.isArray(keys) ? (keys as readonly JsonObject[]) : [];
  const isIt = listed.length === 1 && listed[0]?.ring === asked.ring && listed[0]?.kid === asked.kid;
  if (isIt && canonicalJson(ends) === canonicalJson(asked)) return;
  throw new CurfewError('ERR_EVIDENCE_RECORD', `${id}: ends and keys may name only the key of case.opened`, {
    got: { ends, keys },
    allowed: asked,
  });
}

/** The items that one listing asks for; each listing has its own numbers. */
function itemsListed({ body }: EvidenceRecord): readonly ContainmentItem[] {
  return listContainment(body.principals as unknown as readonly PrincipalRef[], Number(body.n));
}

/** The plan is numbered after the first listing, each proof holds by what it says was seen, and the closing counts them all. */
function checkProofs(records: readonly EvidenceRecord[], caseId: string, retired: readonly string[]): void {
  const byId = new Map(records.map((record) => [record.id, record]));
  const { containment = [], plan = [], firstItems } = inputsOf(records);
  const inventory = byId.get(`${caseId}/inventory`);
  if (inventory && inventory.body.firstItem !== firstItems + 1)
    throw new CurfewError(
      'ERR_EVIDENCE_RECORD',
      `${inventory.id} numbers the plan otherwise than after the first listing`,
      {
        got: inventory.body.firstItem,
        allowed: firstItems + 1,
      },
    );
  const items: readonly (ContainmentItem | PlannedItem)[] = [...containment, ...plan];
  for (const item of items) {
    const { nn, kind } = item;
    const proof = byId.get(`${caseId}/item/${nn}/proved`);
    const end = item.kind === 'taint' && (retired.includes(item.kid) ? 'RETIRED' : 'DENIED');
    if (proof && !(isProof(kind, proof.body) && isSeenAs(end, proof.body)))
      throw new CurfewError(
        'ERR_EVIDENCE_RECORD',
        `${proof.id}: what it says was observed proves no item of kind ${kind}`,
        {
          got: proof.body,
        },
      );
  }
  const closed = byId.get(`${caseId}/closed`);
  if (closed && closed.body.items !== items.length && !isGivenBack(records))
    throw new CurfewError(
      'ERR_EVIDENCE_INCOMPLETE',
      `${closed.id} counts other items than the listings and the plan have`,
      {
        got: closed.body.items,
        allowed: items.length,
      },
    );
}

/** A tainted key was seen as its own records tell its end. */
function isSeenAs(end: string | false, { observed }: JsonObject): boolean {
  return end === false || (observed as JsonObject).state === end;
}

/** As the prover judged it, from what is recorded. */
function isProof(kind: ItemKind, { kind: proved, observed }: JsonObject): boolean {
  const isObserved = typeof observed === 'object' && observed !== null && !Array.isArray(observed);
  return proved === kind && isObserved && proveItem(kind, observed as never).ok === true;
}

/** Numbered from 1 without a gap: what was listed once is listed for good. */
function checkListings(records: readonly EvidenceRecord[]): void {
  const listings = listingsOf(records);
  const numbers = listings.map(({ body }) => Number(body.n)).sort((a, b) => a - b);
  const gap = numbers.findIndex((n, index) => n !== index + 1);
  if (gap < 0) return;
  throw new CurfewError('ERR_EVIDENCE_INCOMPLETE', `the listings of the case are not numbered from 1 without a gap`, {
    got: numbers,
    allowed: numbers.map((_, index) => index + 1),
  });
}

function checkFrozen(frozen: EvidenceRecord, items: object): void {
  if (canonicalJson(frozen.body.items ?? null) !== canonicalJson(items as Json))
    throw new CurfewError(
      'ERR_EVIDENCE_INCOMPLETE',
      `${frozen.id} lists other items than the planner computes from its recorded inputs`,
      {
        got: frozen.body.items,
        allowed: items,
      },
    );
}

/** The one of these records, all of the case, that is this. */
export function findKeyRecord(
  records: readonly EvidenceRecord[],
  { type, kid }: ExpectedKeyRecord,
): EvidenceRecord | undefined {
  return records.find((record) => record.type === type && record.body.kid === kid);
}

function caseOf(records: readonly EvidenceRecord[]): string {
  const opened = records.find(({ type }) => type === 'case.opened');
  if (opened?.case !== undefined) return opened.case;
  throw new CurfewError('ERR_EVIDENCE_INCOMPLETE', 'no record opens the case');
}
