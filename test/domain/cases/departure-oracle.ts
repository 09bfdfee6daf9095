/**
 * What HR's words come to, written a second time and as plainly as can be: for one worker, sources `a` and `b`, and nothing
 * begun yet. It imports nothing of the domain. The rules are those of docs/departures.md.
 */
export interface Word {
  readonly source: 'a' | 'b';
  readonly kind: 'leaves' | 'moves' | 'back' | 'rehired';
  readonly saidAt: number;
  readonly at: number;
  readonly means: 'access-end' | 'employment-end';
}

const HOURS_36 = 36 * 3600;

/** When the worker is contained, if that is scheduled; when the rest follows; and whether people are asked. */
export function oracle(words: readonly Word[]): {
  readonly at?: number;
  readonly final?: number;
  readonly asked: boolean;
} {
  const said = [...words].sort((x, y) => x.saidAt - y.saidAt || Number(x.kind === 'back') - Number(y.kind === 'back'));
  const state: Record<string, { leaves: Word[]; moves: Word[]; back: boolean; doubt: boolean }> = {};
  for (const word of said) {
    state[word.source] ??= { leaves: [], moves: [], back: false, doubt: false };
    const own = state[word.source] as (typeof state)[string];
    if (word.kind === 'leaves') {
      const together = own.leaves.some(({ saidAt }) => saidAt === word.saidAt);
      own.leaves = together ? [...own.leaves, word] : [word];
      own.doubt = (together && new Set(own.leaves.map(({ at }) => at)).size > 1) || (together && own.doubt);
      if (!together) own.back = false;
    }
    if (word.kind === 'moves') own.moves = own.moves[0]?.saidAt === word.saidAt ? [...own.moves, word] : [word];
    if (word.kind === 'back') {
      const named = own.leaves.find(({ at }) => at === word.at) ?? own.moves.find(({ at }) => at === word.at);
      const newer = (own.moves[0]?.saidAt ?? 0) > (own.leaves[0]?.saidAt ?? 0) ? own.moves[0] : own.leaves[0];
      const target = named ?? newer;
      if (target?.kind !== 'leaves') continue;
      if (target.saidAt === word.saidAt) own.doubt = true;
      else own.back = true;
    }
  }
  const sources = Object.values(state).filter(({ leaves }) => leaves.length > 0);
  const leaving = sources
    .filter(({ back }) => !back)
    .map(({ leaves, doubt }) => ({
      at: Math.min(...leaves.map(({ at }) => at)),
      means: leaves.some(({ means }) => means === 'access-end') ? 'access-end' : 'employment-end',
      doubt,
    }));
  if (leaving.length === 0) return { asked: false };
  const exact = leaving.filter(({ means }) => means === 'access-end');
  const dates = (exact.length > 0 ? exact : leaving).map(({ at }) => at);
  const [first, last] = [Math.min(...dates), Math.max(...dates)];
  const apart = last - first > HOURS_36;
  return {
    at: first,
    final: apart ? first : last,
    asked: apart || leaving.length < sources.length || leaving.some(({ doubt }) => doubt),
  };
}
