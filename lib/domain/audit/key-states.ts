/**
 * The states of keys as the log itself tells them: what `case.inventory` says of a key is checked against this, so that
 * an inventory cannot owe less by calling a key that still signs RETIRED (docs/evidence-format.md, "Manifest of a case").
 */
import { CurfewError } from '../base/errors';
import type { EvidenceRecord } from '../evidence/record';
import type { KeyState } from '../rings/ring';
import { inventoryIn } from './case-records';

/** The planner reads the rings and then freezes what it read, in one run of at most two minutes. */
const READ_BEFORE_FROZEN_SECONDS = 120;

/** Throws unless every key of the inventory was, as it was read, in the state that the inventory names. */
export function checkInventory(inventory: EvidenceRecord, all: readonly EvidenceRecord[]): void {
  const { keys } = inventoryIn(inventory);
  for (const { ring, kid, state } of keys) {
    const states = statesOf(kid, recordsOfRing(all, ring), inventory.at);
    if (!states.includes(state))
      throw new CurfewError(
        'ERR_EVIDENCE_RECORD',
        `${inventory.id} calls key ${kid} of ring ${ring} ${state}; the records of the ring say ${states.join(' or ') || 'that it has no such key'}`,
        { got: state, allowed: states },
      );
  }
}

/** Every state that the key was in while the inventory may have been read. */
function statesOf(kid: string, records: readonly EvidenceRecord[], frozenAt: number): KeyState[] {
  const readFrom = frozenAt - READ_BEFORE_FROZEN_SECONDS;
  let states: KeyState[] = [];
  let last: KeyState | undefined;
  for (const record of records) {
    const state = stateAfter(record, kid, last);
    if (record.at > frozenAt || state === undefined) continue;
    // What it became before the reading began is all that was left to read.
    states = record.at < readFrom ? [state] : [...states, state];
    last = state;
  }
  return [...new Set(states)];
}

/** The state that a record puts the key in, given the state before; undefined where it says nothing of this key. */
export function stateAfter(
  { type, body }: EvidenceRecord,
  kid: string,
  before: KeyState | undefined,
): KeyState | undefined {
  // A tainted key is replaced as well, and stays SUSPECT.
  if (type === 'key.activated' && body.replaced === kid && before === 'ACTIVE') return 'VERIFY_ONLY';
  if (body.kid !== kid) return undefined;
  switch (type) {
    case 'key.adopted':
      return body.kind === 'legacy' ? 'OBSERVED' : 'STANDBY';
    case 'key.activated':
      return 'ACTIVE';
    case 'key.tainted':
      // A later case joins a key that is DENIED, and changes nothing about it.
      return before === 'DENIED' ? 'DENIED' : 'SUSPECT';
    case 'key.denied':
      return 'DENIED';
    case 'key.retired':
      return 'RETIRED';
    default:
      return undefined;
  }
}

/** In the order of the ring's fence, which is that of its transactions; the tree follows the outbox. */
function recordsOfRing(all: readonly EvidenceRecord[], ring: string): EvidenceRecord[] {
  const place = ({ id }: EvidenceRecord) => (/\/(\d+)\.(\d+)$/.exec(id) ?? []).slice(1).map(Number);
  return all
    .filter((record) => record.ring === ring && record.type.startsWith('key.'))
    .map((record) => ({ record, place: place(record) }))
    .sort((a, b) => (a.place[0] ?? 0) - (b.place[0] ?? 0) || (a.place[1] ?? 0) - (b.place[1] ?? 0))
    .map(({ record }) => record);
}
