/** `curfew case show`: where a case stands, one line an item, and what it waits for. */
import { CurfewError } from '../../lib/domain/base/errors';
import { instant } from '../../lib/domain/base/time';
import { acceptable, acceptsNothing } from '../../lib/domain/cases/accepted';
import { type CaseMeta, isWaiting, openQuestion, shownState, stopOf } from '../../lib/domain/cases/case';
import { CASE, DUE_MARKER } from '../../lib/domain/store/case';
import { CASE_PLAN, type Inventory, type StoredItem } from '../../lib/domain/store/case-items';
import type { Tables } from '../../lib/ports';
import { loadItems } from '../../lib/work/cases/case-store';
import { table } from '../edge/terminal';
import { findCaseId } from './case-id';
import { votesOf, votesText } from './case-votes';
import type { Answer, CommandPorts } from './command';

type ShowPorts = CommandPorts<'case show'>;
type CaseReader = { readonly tables: Pick<Tables<'cases:get'>, 'get'> };

export async function loadCase({ tables }: CaseReader, caseId: string): Promise<CaseMeta> {
  const meta = await tables.get(CASE, caseId);
  if (meta) return meta;
  throw new CurfewError('ERR_NOT_FOUND', `no case ${caseId}`, {
    got: caseId,
    fix: 'take the id from `curfew case list`, or from the event CaseOpened',
  });
}

export async function showCase(ports: ShowPorts, given: string): Promise<Answer> {
  const caseId = await findCaseId(given, ports);
  const { tables, clock } = ports;
  const meta = await loadCase(ports, caseId);
  const now = clock.now();
  const items = await loadItems(ports, caseId);
  const inventories = (await tables.query(CASE_PLAN.in(caseId))).map(({ inventory }) => inventory);
  const stop = stopOf(meta, now);
  const next = (await tables.query(DUE_MARKER.in())).find((marker) => marker.caseId === caseId)?.dueAt;
  const rows = items.map((stored) => [stored.item.nn, whatOf(stored), stored.state, waitOf(stored, meta, stop?.why)]);
  const ofHr = meta.kind === 'departure' ? { 'HR said so': meta.hrEventAt, accepted: meta.acceptedAt } : {};
  const dates = Object.entries({
    ...ofHr,
    opened: meta.openedAt,
    contained: meta.containedAt,
    planned: meta.plannedAt,
    tainted: meta.taintedAt,
    denied: meta.deniedAt,
    proved: meta.provedAt,
    closed: meta.closedAt,
    'given back': meta.kind === 'departure' ? meta.givenBackAt : undefined,
    ...looksOf(meta),
  }).flatMap(([what, at]) => (at === undefined ? [] : [[what, instant(at)]]));
  const votes = await votesOf(meta, ports);
  const text = [
    `case ${caseId}  ${kindOf(meta)}  ${shownState(meta)}  attempt ${meta.attempt}`,
    ...(meta.kind === 'taint' ? [`it ends key ${meta.key.kid} of ring ${meta.key.ring}: ${meta.key.reason}`] : []),
    ...hints(meta, stop, next),
    ...acceptHints(meta, items, inventories, now),
    '',
    table(['step', 'at'], dates),
    ...foundOpen(items),
    ...(rows.length === 0 ? [] : ['', table(['item', 'kind', 'state', 'waits for'], rows)]),
    ...votesText(votes),
  ];
  // The worker stands in the Cases table in clear; what the CLI prints may be kept, so it shows the pseudonym.
  const { workerId: _workerId, ...shown } = { workerId: undefined, ...meta };
  return {
    json: {
      ...shown,
      // The words of `case list`. How far the work is stands in its instants.
      kind: kindOf(meta),
      state: shownState(meta),
      waitsFor: waitsFor(meta, now),
      ...(stop && { stop }),
      ...(next !== undefined && { nextAttemptAt: next }),
      approvals: votes,
      items: items.map(({ item, state }) => ({ nn: item.nn, kind: item.kind, state })),
    },
    text: text.join('\n'),
  };
}

/** When it was, and will be, looked whether what was shut is shut. */
function looksOf(meta: CaseMeta): Readonly<Record<string, number | undefined>> {
  if (meta.kind === 'taint' || meta.rechecks === undefined) return {};
  const { at, next, until } = meta.rechecks;
  return { 'looked again': at, 'looks again': next, 'last look after': until };
}

/** In a few words; the page has the sentence. */
export function waitsFor(meta: CaseMeta, now: number): string {
  if (openQuestion(meta) !== undefined) return 'two approvers';
  if (isWaiting(meta)) return 'an import';
  return stopOf(meta, now)?.until === undefined ? '' : 'its date';
}

/** What a person calls it. */
export function kindOf(meta: CaseMeta): string {
  if (meta.kind === 'taint') return 'taint';
  if (meta.readmits !== undefined) return 'readmission';
  if (meta.givesBack !== undefined) return 'give-back';
  if (meta.provesAgain !== undefined) return 'accepted items again';
  if (meta.isLate === true) return 'late exposures';
  return meta.followUpOf === undefined ? meta.act : 'second rotation';
}

/** Which items approvers accepted, and the case that proves them again; and which items they could accept now. */
function acceptHints(
  meta: CaseMeta,
  items: readonly StoredItem[],
  inventories: readonly Inventory[],
  now: number,
): readonly string[] {
  if (meta.kind !== 'departure') return [];
  const lines = (meta.accepted ?? []).map(
    ({ items: numbers, until, linked }) =>
      `accepted by two approvers, and not proved: item ${numbers.join(', ')}; case ${linked} proves it again at ${instant(until)}`,
  );
  const open = acceptsNothing(meta, now) === undefined ? acceptable(meta, items, inventories) : [];
  if (open.length > 0)
    lines.push(
      'if nobody can act on these items, two approvers can accept them for 90 days at most. The case then closes with exceptions:',
      `  curfew case accept ${meta.caseId} --item ${open.map(({ item }) => item.nn).join(',')} --until DATE --reason TEXT`,
    );
  return lines.length === 0 ? [] : ['', ...lines];
}

function whatOf({ item }: StoredItem): string {
  if (item.kind === 'release') return `open ${item.thing}`;
  return item.kind === 'taint' ? `taint ${item.kid.slice(0, 8)}` : item.kind;
}

function foundOpen(items: readonly StoredItem[]): string[] {
  const found = items.flatMap(({ item, foundOpen: times = 0 }) => (times === 0 ? [] : [`${item.nn} (${times} times)`]));
  return found.length === 0 ? [] : ['', `found open after it was shut, and shut again: ${found.join(', ')}`];
}

function waitOf({ item, state, phase, acceptedUntil }: StoredItem, meta: CaseMeta, why: string | undefined): string {
  if (state === 'PROVED') return '';
  if (state === 'ACCEPTED') return `${instant(acceptedUntil ?? 0)}, when it is proved again`;
  if (item.kind === 'unplannable') return item.reason;
  if (item.kind === 'release' && item.byHand === true && state !== 'DONE') return 'somebody who enables it by hand';
  if (phase === 'act' && state === 'PLANNED' && why !== undefined) return 'the decision';
  if (state === 'DONE') return 'its proof';
  return meta.attempt === 0 ? 'the first attempt' : 'the next attempt';
}

function hints(meta: CaseMeta, stop: ReturnType<typeof stopOf>, next: number | undefined): string[] {
  const id = meta.caseId;
  const lines = stop === undefined ? [] : ['', `it waits: ${stop.why}`];
  if (stop?.until !== undefined) lines.push(`it goes on by itself at ${instant(stop.until)}`);
  if (openQuestion(meta) !== undefined)
    lines.push(
      'two approvers decide. The departure stands, and what is shut stays shut:',
      `  curfew case approve ${id} --reason TEXT`,
      'The departure is off, and what this case shut is opened again:',
      `  curfew case give-back ${id} --reason TEXT`,
      `what HR said: curfew case explain ${id}`,
    );
  if (next !== undefined && stop?.until === undefined && meta.state !== 'CLOSED')
    lines.push('', `it goes on by itself at its next look: ${instant(next)}`);
  return lines;
}

const FOLLOW_EVERY_SECONDS = 2;

/** Shows the case again whenever it changed, until it is over. */
export async function followCase(ports: ShowPorts, caseId: string, show: (page: string) => void): Promise<Answer> {
  let last = '';
  for (;;) {
    const answer = await showCase(ports, caseId);
    if (answer.text !== last) show(answer.text);
    last = answer.text;
    const meta = await loadCase(ports, caseId);
    if (meta.state === 'CLOSED' && meta.sealedAt !== undefined) return { ...answer, text: `case ${caseId} is sealed` };
    await ports.clock.sleep(FOLLOW_EVERY_SECONDS);
  }
}
