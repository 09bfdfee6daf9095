/** Folding issued digests into committed lists: what waits, grouped by kid and ledger shard, and the records that say so. */

import { H } from '../base/encoding';
import type { Marker } from '../store/ledger';
import type { EvidenceRecord } from './record';
import { describeTokenList, formatTokenList, type TokenListEntry, tokenListKey } from './token-list';

export interface StoredList {
  readonly key: string;
  readonly text: string;
}

/**
 * One list a kid and shard, one record a kid. The record's id comes from the lists, so that folding the same digests
 * again, after a crash, names the same record.
 */
export function commit(markers: readonly Marker[], at: number): { lists: StoredList[]; records: EvidenceRecord[] } {
  const lists: StoredList[] = [];
  const records = [...groupBy(markers, ({ kid }) => kid)].map(([kid, ofKid]): EvidenceRecord => {
    const entries = [...groupBy(ofKid, ({ shard }) => shard)]
      .sort(([a], [b]) => a - b)
      .map(([shard, tokens]): TokenListEntry => {
        const text = formatTokenList(tokens);
        const entry = describeTokenList(shard, text);
        lists.push({ key: tokenListKey(kid, shard, at, entry.sha256), text });
        return entry;
      });
    const count = entries.reduce((sum, entry) => sum + entry.count, 0);
    const id = `issued/${kid}/${H(entries.map(({ sha256 }) => `${sha256}\n`).join(''))}`;
    return { v: 1, id, type: 'tokens.issued', at, body: { kid, count, lists: entries } };
  });
  return { lists, records };
}

function groupBy<T, K>(all: readonly T[], keyOf: (one: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const one of all) {
    const group = groups.get(keyOf(one));
    if (group) group.push(one);
    else groups.set(keyOf(one), [one]);
  }
  return groups;
}
