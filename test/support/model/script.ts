/**
 * A process of the model: a generator that stops before each call that leaves the process. There it can be killed, and
 * there any other process may come in. What a call writes was decided before the stop, as in the Lambda it mirrors.
 */
import type { Write } from '../../../lib/domain/store/table';

export interface Stop {
  /** The port and its method, as `Faults` names them. */
  readonly call: string;
  /** What is sent, for a trace: writes of a transaction, or what the call is about. */
  readonly sent?: readonly Write[] | string;
  /** Not before this instant. */
  readonly wakeAt?: number;
  /** The call changes nothing outside. */
  readonly isRead?: true;
}

export type Script<T = void> = Generator<Stop, T, void>;

export function* effect<T>(call: string, sent: readonly Write[] | string, act: () => T): Script<T> {
  yield { call, sent };
  return act();
}

export function* read<T>(call: string, sent: string, act: () => T): Script<T> {
  yield { call, sent, isRead: true };
  return act();
}

export function* waitUntil(wakeAt: number): Script {
  yield { call: 'clock.sleep', wakeAt, isRead: true };
}

/** A stop in words: `tables.transact HEAD KEY#k2{state:ACTIVE}`. */
export function sayStop({ call, sent }: Stop): string {
  const what = typeof sent === 'string' ? sent : (sent ?? []).map(sayWrite).filter(Boolean).join(' ');
  return what === '' ? call : `${call} ${what}`;
}

const TOLD = ['state', 'kmsState', 'activeKid', 'confirmedAt', 'inJwks', 'toKid', 'closingAt', 'halted', 'policyState'];

function sayWrite(write: Write): string {
  const { pk, sk } = write.kind === 'put' ? write.row : write.key;
  if (sk.startsWith('OUT#')) return '';
  const set = write.kind === 'put' ? write.row : write.kind === 'update' ? write.set : {};
  const told = TOLD.filter((name) => set?.[name] !== undefined).map((name) =>
    typeof set?.[name] === 'number' ? name : `${name}:${String(set?.[name])}`,
  );
  const what = pk.startsWith('RING#') ? sk : pk.startsWith('KID#') ? pk : write.table;
  return `${what}${told.length > 0 ? `{${told.join(' ')}}` : ''}`;
}
