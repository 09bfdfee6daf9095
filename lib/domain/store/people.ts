/**
 * People: what each worker can authenticate with and has had custody of.
 *
 *     WORKER#{id} | PRIN#{type}#{arn or ring/sub}
 *     WORKER#{id} | EXPO#{asset}#{class}            how since
 *     WORKER#{id} | IMPORT#{at}#{by}                who changed rows of this worker, and when
 *     IMPORTED | {at}#{id}                          nobody has looked yet whether it names what a departed worker had
 *
 * Who can write this table can have other people's access ended; who deletes from it hides a leaver's. Matching is by
 * the immutable worker id alone, never by a name or an address.
 */
import * as z from 'zod/mini';
import { entity, shape } from './entity';
import { flag, text, whole } from './shapes';
import { ordered } from './table';

export type Principal =
  | { readonly type: 'iam-user' | 'kms-key'; readonly arn: string }
  | { readonly type: 'subject'; readonly ring: string; readonly sub: string };

export const EXPOSURE_CLASSES = [
  'copied-possible',
  'could-use',
  'could-deploy',
  'administers',
  'reads-public',
] as const;
export type ExposureClass = (typeof EXPOSURE_CLASSES)[number];

export interface Exposure {
  /** `ring:{ring}` or `kid:{ring}/{kid}`. */
  readonly asset: string;
  readonly class: ExposureClass;
  readonly how: string;
  readonly since: number;
}

const partition = (workerId: string) => `WORKER#${workerId}`;

export const PRINCIPAL = entity({
  name: 'principal of a worker',
  table: 'people',
  key: (workerId: string, principal: Principal) => ({
    pk: partition(workerId),
    sk: `PRIN#${principal.type}#${principal.type === 'subject' ? `${principal.ring}/${principal.sub}` : principal.arn}`,
  }),
  owns: ({ pk, sk }) => pk.startsWith('WORKER#') && sk.startsWith('PRIN#'),
  part: (workerId: string) => ({ pk: partition(workerId), prefix: 'PRIN#' }),
  schema: shape<Principal>(
    z.discriminatedUnion('type', [
      z.strictObject({ type: z.enum(['iam-user', 'kms-key']), arn: text }),
      z.strictObject({ type: z.literal('subject'), ring: text, sub: text }),
    ]),
  ),
});

export const EXPOSURE = entity({
  name: 'exposure of a worker',
  table: 'people',
  key: (workerId: string, exposure: Pick<Exposure, 'asset' | 'class'>) => ({
    pk: partition(workerId),
    sk: `EXPO#${exposure.asset}#${exposure.class}`,
  }),
  owns: ({ pk, sk }) => pk.startsWith('WORKER#') && sk.startsWith('EXPO#'),
  part: (workerId: string) => ({ pk: partition(workerId), prefix: 'EXPO#' }),
  schema: shape<Exposure>(z.strictObject({ asset: text, class: z.enum(EXPOSURE_CLASSES), how: text, since: whole })),
});

/** Who it was is known from its first row on; that all of it is there, from its last. */
interface Import {
  readonly at: number;
  readonly by: string;
  readonly isWhole?: boolean;
}

export const IMPORT = entity({
  name: 'import about a worker',
  table: 'people',
  key: (workerId: string, at: number, by: string) => ({
    pk: partition(workerId),
    sk: `IMPORT#${ordered(at, 12)}#${by}`,
  }),
  owns: ({ pk, sk }) => pk.startsWith('WORKER#') && sk.startsWith('IMPORT#'),
  part: (workerId: string) => ({ pk: partition(workerId), prefix: 'IMPORT#' }),
  schema: shape<Import>(z.strictObject({ at: whole, by: text, isWhole: z.optional(flag) })),
});

/** The one partition of the table that is about nobody's principals; who looks after imports may touch no other. */
export const IMPORTED_PARTITION = 'IMPORTED';

/** Of one worker, in one second. */
export interface Imported {
  readonly workerId: string;
  readonly at: number;
}

export const PENDING_IMPORT = entity({
  name: 'import that waits to be looked at',
  table: 'people',
  key: (at: number, workerId: string) => ({ pk: IMPORTED_PARTITION, sk: `${ordered(at, 12)}#${workerId}` }),
  owns: ({ pk }) => pk === IMPORTED_PARTITION,
  part: () => ({ pk: IMPORTED_PARTITION }),
  schema: shape<Imported>(z.strictObject({ workerId: text, at: whole })),
});
