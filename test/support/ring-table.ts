/** A ring in a table of its own, so that a transition can be judged by what it leaves there. */

import type { EvidenceRecord } from '../../lib/domain/evidence/record';
import type { Ring } from '../../lib/domain/rings/ring';
import { GATE, GATES, RING_HEAD } from '../../lib/domain/store/ring-head';
import { RING_KEY, SLOT } from '../../lib/domain/store/ring-key';
import type { Write } from '../../lib/domain/store/table';
import { WAVE } from '../../lib/domain/store/wave';
import { checkReadable, MemoryTables } from '../../lib/local/tables';
import { ringFromRows } from './ring-rows';

export class RingTable {
  readonly tables = new MemoryTables();

  static async of(ring: Ring): Promise<RingTable> {
    const table = new RingTable();
    const { id, keys, slots, waves, activations, fence, activeKid, halted, cfg, cfgSha } = ring;
    const items = [
      RING_HEAD.row([id], { activations, fence, activeKid, halted, cfg, cfgSha }),
      ...Array.from({ length: GATES }, (_, n) => GATE.row([id, n], { activeKid, halted })),
      ...keys.map((key) => RING_KEY.row([id, key.kid], key)),
      ...slots.map((slot) => SLOT.row([id, slot.slot], slot)),
      ...waves.map((wave) => WAVE.row([id, wave.fromKid], wave)),
    ];
    await table.apply(items.map((stored) => ({ kind: 'put', table: 'keys', row: stored })));
    return table;
  }

  async apply(writes: readonly Write[]): Promise<Ring> {
    if (writes.length > 0) await this.tables.transact(writes, checkReadable);
    return this.ring();
  }

  ring(): Ring {
    const stored = this.tables.dump('keys').filter(({ sk }) => !sk.startsWith('OUT#'));
    return ringFromRows('customer-api', stored) as Ring;
  }

  /** What waits for the outbox, in the order it was written. */
  records(): EvidenceRecord[] {
    const out = this.tables.dump('keys').filter(({ sk }) => sk.startsWith('OUT#'));
    return out.sort((a, b) => (a.sk < b.sk ? -1 : 1)).map(({ record }) => record as unknown as EvidenceRecord);
  }
}
