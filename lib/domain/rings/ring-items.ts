/** A ring as stored in the Keys table, and back. One partition a ring. */
import { OUTBOX_PREFIX, ordered, type Row, type RowKey, type Value } from '../store/table';
import type { KeyRecord, Ring, Slot, Wave } from './ring';

export const ringKey = (ring: string, sk: string): RowKey => ({ pk: `RING#${ring}`, sk });
export const headKey = (ring: string): RowKey => ringKey(ring, 'HEAD');
export const slotKey = (ring: string, slot: number): RowKey => ringKey(ring, `SLOT#${ordered(slot)}`);
export const keyKey = (ring: string, kid: string): RowKey => ringKey(ring, `KEY#${kid}`);
/**
 * Copies of what every issuance tests (HEAD's activeKid, halted, closingAt), each in a partition of its own: DynamoDB
 * takes about 500 such tests a second of one item, and a ring may issue more. They change in HEAD's own transaction.
 */
export const GATES = 16;
export const gateKey = (ring: string, gate: number): RowKey => ({ pk: `GATE#${ring}#${ordered(gate, 2)}`, sk: 'HEAD' });
/** All rings of the instance, so that who watches them needs no list of its own. */
export const RINGS_PARTITION = 'RINGS';
export const ringEntryKey = (ring: string): RowKey => ({ pk: RINGS_PARTITION, sk: ring });
export const waveKey = (ring: string, fromKid: string): RowKey => ringKey(ring, `WAVE#${fromKid}`);
export const outKey = (ring: string, fence: number, n: number): RowKey =>
  ringKey(ring, `${OUTBOX_PREFIX}${ordered(fence)}.${n}`);
/** Which ring a kid is of; its presence keeps one kid from two rings. */
export const pointerKey = (kid: string): RowKey => ({ pk: `KID#${kid}`, sk: 'PTR' });
export const passPartition = (ring: string, fromKid: string) => `WAVE#${ring}#${fromKid}`;
/** What one pass of a wave saw of one shard; in table `issued`, so that the resigner need not write key records. */
export const passKey = (ring: string, fromKid: string, pass: number, shard: number): RowKey => ({
  pk: passPartition(ring, fromKid),
  sk: `PASS#${ordered(pass, 3)}#${ordered(shard, 2)}`,
});

/** The prefixes that make up a ring, in the order they are read; OUT# items wait for the outbox and are not part of it. */
export const RING_PREFIXES = ['HEAD', 'KEY#', 'SLOT#', 'WAVE#'] as const;

export function row(key: RowKey, attributes: object): Row {
  return { ...key, v: 1, ...(attributes as { [name: string]: Value }) };
}

export function parseRing(id: string, items: readonly Row[]): Ring | undefined {
  const head = items.find(({ sk }) => sk === 'HEAD');
  if (!head) return undefined;
  const of = <T>(prefix: string) =>
    items
      .filter(({ sk }) => sk.startsWith(prefix))
      .map(({ pk: _pk, sk: _sk, v: _v, ...attributes }) => attributes as T);
  return {
    id,
    activations: head.activations as number,
    fence: head.fence as number,
    activeKid: head.activeKid as string | undefined,
    halted: head.halted as boolean,
    closingAt: head.closingAt as number | undefined,
    cfg: head.cfg as unknown as Ring['cfg'],
    cfgSha: head.cfgSha as string,
    keys: of<KeyRecord>('KEY#').sort((a, b) => a.slot - b.slot),
    slots: of<Slot>('SLOT#').sort((a, b) => a.slot - b.slot),
    waves: of<Wave>('WAVE#'),
  };
}
