/** `curfew case show CASE | due`: where a departure stands, item by item, and which wait for their date. */

import { CurfewError } from '../../lib/domain/base/errors';
import { instant } from '../../lib/domain/base/time';
import { type CaseMeta, shownState } from '../../lib/domain/cases/case';
import { CASE, DUE_MARKER } from '../../lib/domain/store/case';
import { CASE_ITEM } from '../../lib/domain/store/case-items';
import { table } from '../edge/terminal';
import { type Answer, type CommandPorts, type Commands, instanceOf } from './command';

export const CASE_COMMANDS = {
  'case show': {
    usage: 'CASE',
    says: 'where a departure stands, item by item',
    takes: 1,
    run: async ([id = ''], options) => showCase(await instanceOf(options), id),
  },
  'case due': {
    usage: '',
    says: 'cases that wait for their date',
    takes: 0,
    run: async (_, options) => listDue(await instanceOf(options)),
  },
} as const satisfies Commands;

async function loadCase({ tables }: CommandPorts<'case show'>, caseId: string): Promise<CaseMeta> {
  const meta = await tables.get(CASE, caseId);
  if (meta) return meta;
  throw new CurfewError('ERR_NOT_FOUND', `no case ${caseId}`, {
    got: caseId,
    fix: 'take the id from the event CaseOpened',
  });
}

export async function showCase(deps: CommandPorts<'case show'>, caseId: string): Promise<Answer> {
  const meta = await loadCase(deps, caseId);
  const items = await deps.tables.query(CASE_ITEM.in(caseId));
  const rows = items.map(({ item, state }) => [item.nn, item.kind, state]);
  const dates = Object.entries({
    'HR event': meta.hrEventAt,
    accepted: meta.acceptedAt,
    contained: meta.containedAt,
    planned: meta.plannedAt,
    tainted: meta.taintedAt,
    denied: meta.deniedAt,
    proved: meta.provedAt,
    closed: meta.closedAt,
  }).flatMap(([what, at]) => (at === undefined ? [] : [[what, instant(at)]]));
  const text = [
    `case ${caseId}  ${meta.act}  ${shownState(meta)}  attempt ${meta.attempt}  ${meta.corroboration}`,
    '',
    table(['step', 'at'], dates),
    '',
    table(['item', 'kind', 'state'], rows),
  ];
  // The worker stands in the Cases table in clear; what the CLI prints may be kept, so it shows the pseudonym.
  const { workerId: _workerId, ...shown } = meta;
  return { json: { ...shown, items: rows.map(([nn, kind, state]) => ({ nn, kind, state })) }, text: text.join('\n') };
}

/** Cases that wait for their date. */
export async function listDue({ tables }: CommandPorts<'case due'>): Promise<Answer> {
  const due = await tables.query(DUE_MARKER.in());
  // Markers with an attempt look after a case that was started.
  const rows = due.filter(({ attempt }) => attempt === undefined).map(({ caseId, dueAt }) => [caseId, instant(dueAt)]);
  return { json: rows.map(([caseId, dueAt]) => ({ caseId, dueAt })), text: table(['case', 'due'], rows) };
}
