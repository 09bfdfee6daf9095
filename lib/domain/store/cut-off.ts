/**
 * Cut-offs: one row per ring and blinded subject, which is set and never lowered.
 *
 *     CUT#{ring} | {blinded subject}     notBefore blocked refusedUpTo caseId
 */
import * as z from 'zod/mini';
import { entity, shape } from './entity';
import { flag, text, whole } from './shapes';

interface StoredCutOff {
  /** Epoch seconds: a token issued at or before this is refused. */
  readonly notBefore: number;
  readonly blocked: boolean;
  /** What an issuance tests: beyond every iat where the subject is blocked. */
  readonly refusedUpTo: number;
  readonly caseId: string;
}

export const CUT_OFF = entity({
  name: 'cut-off',
  table: 'cut-offs',
  key: (ring: string, blinded: string) => ({ pk: `CUT#${ring}`, sk: blinded }),
  owns: ({ pk }) => pk.startsWith('CUT#'),
  part: (ring: string) => ({ pk: `CUT#${ring}` }),
  schema: shape<StoredCutOff>(z.strictObject({ notBefore: whole, blocked: flag, refusedUpTo: whole, caseId: text })),
  fromKey: ({ sk }) => ({ blinded: sk }),
});
