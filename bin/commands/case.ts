/** `curfew case show CASE | due`: where a departure stands, item by item, and which wait for their date. */

import { CurfewError } from '../../lib/domain/errors';
import { type CaseMeta, DUE_PARTITION, metaKey, parseMeta } from '../../lib/domain/offboarding/case';
import type { Instance } from '../instance';
import { instant, table } from '../terminal';

export async function loadCase({ tables }: Instance, caseId: string): Promise<CaseMeta> {
  const meta = parseMeta(await tables.get('cases', metaKey(caseId)));
  if (meta) return meta;
  throw new CurfewError('ERR_NOT_FOUND', `there is no case ${caseId}`, {
    got: caseId,
    fix: 'take the id from the event CaseOpened',
  });
}

export async function showCase(instance: Instance, caseId: string) {
  const meta = await loadCase(instance, caseId);
  const items = await instance.tables.query({ table: 'cases', pk: `CASE#${caseId}`, prefix: 'ITEM#' });
  const rows = items.map(({ sk, state }) => [sk.split('#')[1] ?? '', sk.split('#')[2] ?? '', String(state)]);
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
    `case ${caseId}  ${meta.kind}  ${meta.state}  attempt ${meta.attempt}  ${meta.corroboration}`,
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
export async function listDue({ tables }: Instance) {
  const due = await tables.query({ table: 'cases', pk: DUE_PARTITION });
  // Markers with an attempt look after a case that was started.
  const rows = due
    .filter(({ attempt }) => attempt === undefined)
    .map(({ sk, caseId }) => [String(caseId), instant(Number(sk.split('#')[0]))]);
  return { json: rows.map(([caseId, dueAt]) => ({ caseId, dueAt })), text: table(['case', 'due'], rows) };
}
