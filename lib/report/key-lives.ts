/** What became of each signing key of a ring, read off its records: spans of states, with the record that began each. */
import type { IndexedRecord } from '../domain/audit/bundle';
import { stateAfter } from '../domain/audit/key-states';
import type { EvidenceRecord } from '../domain/evidence/record';
import type { KeyState } from '../domain/rings/ring';
import type { CaseFacts } from './facts';
import { text } from './fields';

export interface Span {
  readonly state: KeyState;
  readonly from: number;
  readonly record: IndexedRecord;
}

export interface KeyLife {
  readonly ring: string;
  readonly kid: string;
  readonly kind: 'kms' | 'legacy';
  readonly spans: readonly Span[];
}

/** By the same rule as the verifier: a key that is DENIED stays so, whatever a later case says of it. */
export function keyLives({ rings }: CaseFacts): readonly KeyLife[] {
  const lives = new Map<string, KeyLife>();
  for (const indexed of rings) {
    const { record } = indexed;
    const { ring = '', at } = record;
    for (const kid of kidsIn(record)) {
      const id = `${ring}\0${kid}`;
      const life = lives.get(id) ?? { ring, kid, kind: 'kms', spans: [] };
      const before = life.spans.at(-1)?.state;
      const after = stateAfter(record, kid, before);
      const kind = after === 'OBSERVED' ? 'legacy' : life.kind;
      const spans =
        after === undefined || after === before
          ? life.spans
          : [...life.spans, { state: after, from: at, record: indexed }];
      lives.set(id, { ...life, kind, spans });
    }
  }
  return [...lives.values()].filter(({ spans }) => spans.length > 0);
}

/** The key that a record is about, and the one that it puts out of its place. */
function kidsIn({ body }: EvidenceRecord): readonly string[] {
  return [text(body, 'kid'), text(body, 'replaced')].filter((kid) => kid !== undefined);
}
