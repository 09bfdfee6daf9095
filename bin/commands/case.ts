/** `curfew case …`: which departures there are, where each stands, why it waits, and what two people decide about it. */

import { instant, span } from '../../lib/domain/base/time';
import { type CaseMeta, openQuestion, shownState } from '../../lib/domain/cases/case';
import { CASE, DUE_MARKER } from '../../lib/domain/store/case';
import { DUE_WORKER, SCHEDULE } from '../../lib/domain/store/worker';
import { table } from '../edge/terminal';
import { acceptItems } from './case-accept';
import { decideCase, giveBack } from './case-decide';
import { explainCase } from './case-explain';
import { findCaseId } from './case-id';
import { readmit } from './case-readmit';
import { followCase, kindOf, showCase, waitsFor } from './case-show';
import { type Answer, type CommandPorts, type Commands, instanceOf, optional, text } from './command';

export const CASE_COMMANDS = {
  'case list': {
    usage: '[--open | --held | --waiting | --worker ID]',
    says: 'cases that are not over; --held: those that wait for people; --waiting: those whose worker no import names',
    takes: 0,
    run: async (_, options) => {
      const only = options.held === true ? 'HELD' : options.waiting === true ? 'WAITING' : undefined;
      return listCases(await instanceOf(options), only, optional(options, 'worker'));
    },
  },
  'case show': {
    usage: 'CASE [--follow]',
    says: 'where a case stands, item by item, and what it waits for',
    takes: 1,
    run: async ([id = ''], options) => {
      const instance = await instanceOf(options);
      const caseId = await findCaseId(id, instance);
      if (options.follow !== true) return showCase(instance, caseId);
      return followCase(instance, caseId, (page) => process.stdout.write(`${page}\n\n`));
    },
  },
  'case explain': {
    usage: 'CASE',
    says: 'what HR said, what that comes to, and why the case waits',
    takes: 1,
    run: async ([id = ''], options) => explainCase(await instanceOf(options), id),
  },
  'case approve': {
    usage: 'CASE --reason TEXT',
    says: 'let a held case go on; the second of two approvers decides',
    takes: 1,
    run: async ([id = ''], options) => decideCase(await instanceOf(options), id, 'go-on', text(options, 'reason')),
  },
  'case give-back': {
    usage: 'CASE [--reason TEXT]',
    says: 'open again what a case shut; the second of two approvers decides. Without --reason it shows what is opened, and by whom',
    takes: 1,
    run: async ([id = ''], options) => giveBack(await instanceOf(options), id, optional(options, 'reason')),
  },
  'case readmit': {
    usage: 'WORKER --subject RING/SUB --reason TEXT',
    says: 'open one subject again, and nothing else, for a worker whom HR has taken on again; the second of two approvers decides',
    takes: 1,
    run: async ([worker = ''], options) =>
      readmit(await instanceOf(options), worker, text(options, 'subject'), text(options, 'reason')),
  },
  'case accept': {
    usage: 'CASE --item NN[,NN…] --until DATE --reason TEXT',
    says: 'let items stay open, for 90 days at most, on which nobody can act; the second of two approvers decides',
    takes: 1,
    run: async ([id = ''], options) =>
      acceptItems(await instanceOf(options), id, {
        items: text(options, 'item'),
        until: text(options, 'until'),
        reason: text(options, 'reason'),
      }),
  },
  'case due': {
    usage: '',
    says: 'departures and second rotations that wait for their date',
    takes: 0,
    run: async (_, options) => listDue(await instanceOf(options)),
  },
} as const satisfies Commands;

export async function listCases(
  ports: CommandPorts<'case list'>,
  only: 'HELD' | 'WAITING' | undefined,
  workerId: string | undefined,
): Promise<Answer> {
  const { tables, clock } = ports;
  const ids = workerId === undefined ? await openCases(ports) : await casesOf(workerId, ports);
  const metas = (await Promise.all(ids.map((id) => tables.get(CASE, id)))).filter((meta) => meta !== undefined);
  // A closed one is looked after until it is sealed: that is nothing for people, unless it asks.
  const isOver = (meta: CaseMeta) => meta.state === 'CLOSED' && openQuestion(meta) === undefined;
  const listed = workerId === undefined ? metas.filter((meta) => !isOver(meta)) : metas;
  const shown = listed.filter((meta) => only === undefined || shownState(meta) === only);
  const now = clock.now();
  const rows = shown.map((meta) => [
    meta.caseId,
    kindOf(meta),
    shownState(meta),
    span(Math.max(0, (meta.closedAt ?? now) - meta.openedAt)),
    waitsFor(meta, now),
  ]);
  const none = only === undefined ? 'no case is open' : NONE[only];
  return {
    json: shown.map((meta) => ({
      caseId: meta.caseId,
      kind: kindOf(meta),
      state: shownState(meta),
      openedAt: meta.openedAt,
      waitsFor: waitsFor(meta, now),
    })),
    text: rows.length === 0 ? none : table(['case', 'kind', 'state', 'open for', 'waits for'], rows),
  };
}

const NONE = { HELD: 'no case waits for people', WAITING: 'no case waits for an import' } as const;

/** Whatever was started and is not sealed has a marker that brings the ticker back to it. */
async function openCases({ tables }: CommandPorts<'case list'>): Promise<readonly string[]> {
  const markers = await tables.query(DUE_MARKER.in());
  return [...new Set(markers.map(({ caseId }) => caseId))];
}

async function casesOf(workerId: string, { tables }: CommandPorts<'case list'>): Promise<readonly string[]> {
  return (await tables.get(SCHEDULE, workerId.normalize('NFC')))?.caseIds ?? [];
}

/** Of a departure only its date is shown: who leaves when is the most secret list of a company. */
export async function listDue({ tables }: CommandPorts<'case due'>): Promise<Answer> {
  const [departures, markers] = await Promise.all([tables.query(DUE_WORKER.in()), tables.query(DUE_MARKER.in())]);
  const rows = [
    ...departures.map(({ dueAt }) => ['departure', dueAt] as const),
    // Markers with an attempt look after a case that was started.
    ...markers.flatMap(({ attempt, caseId, dueAt }) => (attempt === undefined ? [[caseId, dueAt] as const] : [])),
  ].sort(([, a], [, b]) => a - b);
  return {
    json: rows.map(([what, dueAt]) => ({ what, dueAt: instant(dueAt) })),
    text:
      rows.length === 0
        ? 'nothing waits for its date'
        : table(
            ['what', 'due'],
            rows.map(([what, dueAt]) => [what, instant(dueAt)]),
          ),
  };
}
