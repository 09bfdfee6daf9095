/** As what a leaver stands in tokens: one imported value, in each place where a token may name who acts. */
import type { Subject } from '../../domain/tokens/cut-off';

export function leaverAs(value: string): readonly Subject[] {
  return [
    { type: 'sub', value },
    { type: 'act', value },
    { type: 'client', value },
  ];
}
