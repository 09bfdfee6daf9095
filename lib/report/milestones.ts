/** The instants of a case that a reader asks for, each with the record that says so, in the order in which they came. */
import type { IndexedRecord } from '../domain/audit/bundle';
import type { RecordType } from '../domain/evidence/record';
import { type CaseFacts, endsAKey } from './facts';
import { text, texts, whole } from './fields';

export interface Milestone {
  readonly name: string;
  readonly at: number;
  readonly record: IndexedRecord;
}

/** What came due, of a case that another one left. */
const DUE = [
  ['followUpOf', 'The second replacement came due'],
  ['provesAgain', 'The accepted items came due'],
] as const;

export function milestonesOf(facts: CaseFacts): readonly Milestone[] {
  const { stages, items, plans } = facts;
  const opened = stages['case.opened'];
  const cutOffs = items.filter(({ kind }) => kind === 'cut-off').map(({ done }) => done);
  const allBlocked = cutOffs.length > 0 && cutOffs.every((done) => done !== undefined);
  const allProved = items.length > 0 && items.every(({ proved }) => proved);
  const found: readonly (Milestone | undefined)[] = [
    at('A responder asked to end a key', endsAKey(facts) ? opened : undefined),
    dated('HR reported the departure', opened, 'hrEventAt'),
    dated('Curfew accepted the report', opened, 'acceptedAt'),
    later(dated(dueAs(opened), opened, 'dueAt'), opened),
    at('This person’s tokens blocked', allBlocked ? last(cutOffs) : undefined),
    at(
      openAtContained(facts).length > 0 ? 'Access contained, but for what stayed open' : 'All access contained',
      stages['case.contained'],
    ),
    at('The case put on hold', stages['case.held']),
    ...plans.map(({ planned }, n) =>
      at(n === 0 ? 'The plan frozen' : `Plan ${n + 1} frozen, for what was imported since`, planned),
    ),
    at('Old signing keys distrusted', lastOfCase(facts, 'key.tainted')),
    at('Everybody else’s tokens signed again', lastOfCase(facts, 'wave.completed')),
    at('Old signing keys refused for good', lastOfCase(facts, 'key.denied')),
    at('The last item proved', allProved ? last(items.map(({ observed }) => observed)) : undefined),
    at('What nobody could act on accepted', stages['case.accepted']),
    at('The case closed', stages['case.closed']),
  ];
  return found.filter((one): one is Milestone => one !== undefined).sort((a, b) => a.at - b.at);
}

function dueAs(opened: IndexedRecord | undefined): string {
  if (opened?.record.body.isLate === true) return 'An import named more that this person had custody of';
  return DUE.find(([member]) => text(opened?.record.body, member))?.[1] ?? 'The departure took effect';
}

/** Items that containment left open, as its own record says. */
export function openAtContained({ stages }: CaseFacts): readonly unknown[] {
  const open = stages['case.contained']?.record.body.open;
  return Array.isArray(open) ? open : [];
}

/** Of the ring records that carry this case, the last of a type: keys of one case need not go in one second. */
export function lastOfCase(facts: CaseFacts, type: RecordType): IndexedRecord | undefined {
  return last(ofCase(facts, type));
}

export function wavesOf(facts: CaseFacts): readonly IndexedRecord[] {
  return ofCase(facts, 'wave.completed');
}

export function ofCase({ rings, caseId }: CaseFacts, type: RecordType): readonly IndexedRecord[] {
  return rings.filter(
    ({ record }) =>
      record.type === type && (record.case === caseId || texts(record.body, 'cases').includes(caseId ?? '')),
  );
}

function last(records: readonly (IndexedRecord | undefined)[]): IndexedRecord | undefined {
  const known = records.filter((one): one is IndexedRecord => one !== undefined);
  return known.reduce<IndexedRecord | undefined>(
    (a, b) => (a === undefined || b.record.at >= a.record.at ? b : a),
    undefined,
  );
}

function at(name: string, record: IndexedRecord | undefined): Milestone | undefined {
  return record && { name, at: record.record.at, record };
}

function dated(name: string, record: IndexedRecord | undefined, member: string): Milestone | undefined {
  const instant = whole(record?.record.body, member);
  return record === undefined || instant === undefined ? undefined : { name, at: instant, record };
}

/** A departure that is due when it is reported needs no line of its own. */
function later(milestone: Milestone | undefined, opened: IndexedRecord | undefined): Milestone | undefined {
  const acceptedAt = whole(opened?.record.body, 'acceptedAt');
  return milestone !== undefined && acceptedAt !== undefined && milestone.at > acceptedAt ? milestone : undefined;
}
