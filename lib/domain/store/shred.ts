/** The data key of one person, wrapped by KMS: without it no sealed field of theirs opens. `{pseudonym} | DEK` */
import * as z from 'zod/mini';
import { entity, shape } from './entity';
import { text } from './shapes';

export const WRAPPED_KEY = entity({
  name: 'wrapped key of a person',
  table: 'shred',
  key: (pseudonym: string) => ({ pk: pseudonym, sk: 'DEK' }),
  owns: ({ sk }) => sk === 'DEK',
  schema: shape<{ readonly wrappedDek: string }>(z.strictObject({ wrappedDek: text })),
});
