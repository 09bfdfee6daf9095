/** What became of each signing key of a ring, read off its records: spans of states, with the record that began each. */
import type { IndexedRecord } from '../domain/audit/bundle';
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

/** The change that a record makes to a key, given the state it is in. */
type Change = { readonly kid: string; readonly state: (before: KeyState | undefined) => KeyState | undefined };

export function keyLives({ rings }: CaseFacts): readonly KeyLife[] {
  const lives = new Map<string, KeyLife>();
  for (const indexed of rings) {
    const { ring = '', at, body, type } = indexed.record;
    for (const { kid, state } of changesOf(indexed.record)) {
      const id = `${ring}\0${kid}`;
      const life = lives.get(id) ?? { ring, kid, kind: 'kms', spans: [] };
      const before = life.spans.at(-1)?.state;
      const after = state(before);
      const kind = type === 'key.adopted' && text(body, 'kind') === 'legacy' ? 'legacy' : life.kind;
      const spans =
        after === undefined || after === before
          ? life.spans
          : [...life.spans, { state: after, from: at, record: indexed }];
      lives.set(id, { ...life, kind, spans });
    }
  }
  return [...lives.values()].filter(({ spans }) => spans.length > 0);
}

function changesOf({ type, body }: EvidenceRecord): readonly Change[] {
  const kid = text(body, 'kid');
  if (kid === undefined) return [];
  const to = (state: KeyState): Change => ({ kid, state: () => state });
  const replaced = text(body, 'replaced');
  switch (type) {
    case 'key.adopted':
      return [to(text(body, 'kind') === 'legacy' ? 'OBSERVED' : 'STANDBY')];
    case 'key.activated':
      // Tainted in the same transaction it is SUSPECT already, and stays so.
      return [
        to('ACTIVE'),
        ...(replaced === undefined
          ? []
          : [
              {
                kid: replaced,
                state: (before: KeyState | undefined) => (before === 'ACTIVE' ? 'VERIFY_ONLY' : before),
              } as const,
            ]),
      ];
    case 'key.tainted':
      return [to('SUSPECT')];
    case 'key.denied':
      return [to('DENIED')];
    case 'key.retired':
      return [to('RETIRED')];
    default:
      return [];
  }
}
