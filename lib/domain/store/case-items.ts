/**
 * The items of a case, and the lists that they were frozen from, in table `cases`.
 *
 *     CASE#{id} | ITEM#{nn}#{kind}     item phase state=PLANNED|STARTED|DONE|PROVED|ACCEPTED target after? foundOpen? …
 *     CASE#{id} | LIST#{nn}            state=FREEZING|FROZEN n principals targets; a later one has what those before have not
 *     CASE#{id} | PLAN                 state=FREEZING|FROZEN inventory how readAt
 *     CASE#{id} | PLAN#{nn}            the same, from the second on: what those before have not
 */
import * as z from 'zod/mini';
import { entity, type Schema, shape } from './entity';
import { EXPOSURE_CLASSES, type ExposureClass } from './people';
import { KEY_STATES, type KeyState, TAINT_CLASSES, type TaintClass } from './ring-key';
import { flag, json, text, whole } from './shapes';
import { ordered, type Value } from './table';

export const casePartition = (caseId: string) => `CASE#${caseId}`;

/** One thing of the worker's that can authenticate, as far as it may stand in a record in clear. */
export type PrincipalRef =
  | { readonly ref: string; readonly type: 'subject'; readonly ring: string }
  | {
      readonly ref: string;
      readonly type: 'iam-user';
      /** How many, in the order IAM lists them; 0 where IAM has no such user any more. */
      readonly accessKeys: number;
      readonly exists: boolean;
      readonly loginProfile: boolean;
    }
  | { readonly ref: string; readonly type: 'kms-key' }
  /** It cannot be acted on: the other principals are, and this one keeps the case open. */
  | { readonly ref: string; readonly type: 'unknown'; readonly reason: string };

const principalRef: Schema<PrincipalRef> = z.discriminatedUnion('type', [
  z.strictObject({ ref: text, type: z.literal('subject'), ring: text }),
  z.strictObject({ ref: text, type: z.literal('iam-user'), accessKeys: whole, exists: flag, loginProfile: flag }),
  z.strictObject({ ref: text, type: z.literal('kms-key') }),
  z.strictObject({ ref: text, type: z.literal('unknown'), reason: text }),
]);

/** A type and no interface, as whatever stands in a record: only a type is known to be JSON. */
export type ExposureRef = {
  readonly ref: string;
  readonly ring: string;
  /** Custody of this one key; of whichever key is ACTIVE otherwise. */
  readonly kid?: string;
  readonly class: ExposureClass;
};

/** What containment can shut, and a give-back open again. */
export const SHUT_KINDS = ['cut-off', 'latch', 'access-key', 'personal-key'] as const;
export type ShutKind = (typeof SHUT_KINDS)[number];

/** One thing that a give-back opens again. */
export type ThingRef = {
  readonly ref: string;
  readonly thing: ShutKind;
  readonly ring?: string;
  /** People open it, and the case sees that they did. */
  readonly byHand?: boolean;
};

/** The key that a case of kind `taint` is about. */
export type EndedKeyRef = { readonly ring: string; readonly kid: string; readonly class: TaintClass };

export interface Inventory {
  /** Which plan of the case it is the input of; absent of the first. */
  readonly n?: number;
  /** Number of the first item of the plan: containment has those before. */
  readonly firstItem: number;
  /** A second rotation, after every session alive at containment has expired: it asks for no third. */
  readonly followUp: boolean;
  readonly principals: readonly PrincipalRef[];
  readonly exposures: readonly ExposureRef[];
  /** Exposures beyond what one case lists. */
  readonly omitted?: number;
  /** The keys that the exposures are of, as they stood. */
  readonly keys: readonly { readonly ring: string; readonly kid: string; readonly state: KeyState }[];
  /** Of a give-back: what it opens. */
  readonly things?: readonly ThingRef[];
  /** Of a taint: the key that it ends. */
  readonly ends?: EndedKeyRef;
}

const inventory: Schema<Inventory> = z.strictObject({
  n: z.optional(whole),
  firstItem: whole,
  followUp: flag,
  principals: z.array(principalRef),
  exposures: z.array(z.strictObject({ ref: text, ring: text, kid: z.optional(text), class: z.enum(EXPOSURE_CLASSES) })),
  omitted: z.optional(whole),
  keys: z.array(z.strictObject({ ring: text, kid: text, state: z.enum(KEY_STATES) })),
  things: z.optional(
    z.array(z.strictObject({ ref: text, thing: z.enum(SHUT_KINDS), ring: z.optional(text), byHand: z.optional(flag) })),
  ),
  ends: z.optional(z.strictObject({ ring: text, kid: text, class: z.enum(TAINT_CLASSES) })),
});

export type ContainmentItem =
  /** Block and cut-off: no token of the subject counts, none is issued. */
  | { readonly nn: string; readonly kind: 'cut-off'; readonly ref: string; readonly ring: string }
  /** The tag and the pre-provisioned deny policy, together. */
  | { readonly nn: string; readonly kind: 'latch'; readonly ref: string }
  | { readonly nn: string; readonly kind: 'access-key'; readonly ref: string; readonly key: number }
  | { readonly nn: string; readonly kind: 'personal-key'; readonly ref: string }
  /** Of a later listing alone: what was there before is in the plan. It cannot be undone, so it is claimed like what is planned. */
  | { readonly nn: string; readonly kind: 'login-profile'; readonly ref: string }
  | { readonly nn: string; readonly kind: 'unplannable'; readonly ref: string; readonly reason: string };

export type PlannedItem =
  | {
      readonly nn: string;
      readonly kind: 'taint';
      readonly ring: string;
      readonly kid: string;
      readonly class: TaintClass;
      /** It was ACTIVE: a STANDBY takes its place in the same transaction. */
      readonly replace: boolean;
      readonly because: readonly string[];
    }
  | { readonly nn: string; readonly kind: 'login-profile'; readonly ref: string }
  /** Opens again what containment shut, after two people gave the departure back. */
  | {
      readonly nn: string;
      readonly kind: 'release';
      readonly ref: string;
      readonly thing: ShutKind;
      readonly ring?: string;
      readonly byHand?: boolean;
    }
  | { readonly nn: string; readonly kind: 'rotate-again'; readonly rings: readonly string[] }
  /** An exposure that says nothing about any key of ours: the others are acted on, and this one keeps the case open. */
  | { readonly nn: string; readonly kind: 'unplannable'; readonly ref: string; readonly reason: string };

export type CaseItem = ContainmentItem | PlannedItem;

const item: Schema<CaseItem> = z.discriminatedUnion('kind', [
  z.strictObject({ nn: text, kind: z.literal('cut-off'), ref: text, ring: text }),
  z.strictObject({ nn: text, kind: z.literal('latch'), ref: text }),
  z.strictObject({ nn: text, kind: z.literal('access-key'), ref: text, key: whole }),
  z.strictObject({ nn: text, kind: z.literal('personal-key'), ref: text }),
  z.strictObject({ nn: text, kind: z.literal('unplannable'), ref: text, reason: text }),
  z.strictObject({
    nn: text,
    kind: z.literal('taint'),
    ring: text,
    kid: text,
    class: z.enum(TAINT_CLASSES),
    replace: flag,
    because: z.array(text),
  }),
  z.strictObject({ nn: text, kind: z.literal('login-profile'), ref: text }),
  z.strictObject({
    nn: text,
    kind: z.literal('release'),
    ref: text,
    thing: z.enum(SHUT_KINDS),
    ring: z.optional(text),
    byHand: z.optional(flag),
  }),
  z.strictObject({ nn: text, kind: z.literal('rotate-again'), rings: z.array(text) }),
]);

/** One that two people accepted, as it stands in evidence. A type, as whatever stands in a record. */
export type AcceptedItem = { readonly nn: string; readonly kind: CaseItem['kind']; readonly reason?: string };

/** Who or what an item is about: the clear details stand here and nowhere else. */
export interface Target {
  readonly value?: string;
  /** Of a subject of a ring that does not exist. */
  readonly ring?: string;
  readonly arn?: string;
  readonly userName?: string;
  readonly accessKeyId?: string;
  readonly kmsKeyArn?: string;
}

export const target: Schema<Target> = z.strictObject({
  value: z.optional(text),
  ring: z.optional(text),
  arn: z.optional(text),
  userName: z.optional(text),
  accessKeyId: z.optional(text),
  kmsKeyArn: z.optional(text),
});

export interface StoredItem {
  readonly item: CaseItem;
  readonly phase: 'contain' | 'act';
  /** STARTED: claimed, with no doubt standing against it; from here on it is not stopped any more. ACCEPTED: left open, until then. */
  readonly state: 'PLANNED' | 'STARTED' | 'DONE' | 'PROVED' | 'ACCEPTED';
  readonly acceptedUntil?: number;
  readonly startedAt?: number;
  readonly target: Target;
  /** As read back when it was done, and as observed when it was proved: `cases/proof.ts` says what of each kind. */
  readonly after?: Value;
  readonly doneAt?: number;
  readonly proof?: Value;
  readonly provedAt?: number;
  /** How often it was found open after it had been shut; and since when, until it is shut again. */
  readonly foundOpen?: number;
  readonly foundOpenAt?: number;
}

export const CASE_ITEM = entity({
  name: 'item of a case',
  table: 'cases',
  key: (caseId: string, of: Pick<CaseItem, 'nn' | 'kind'>) => ({
    pk: casePartition(caseId),
    sk: `ITEM#${of.nn}#${of.kind}`,
  }),
  owns: ({ pk, sk }) => pk.startsWith('CASE#') && sk.startsWith('ITEM#'),
  part: (caseId: string, nn?: string) => ({
    pk: casePartition(caseId),
    prefix: nn === undefined ? 'ITEM#' : `ITEM#${nn}#`,
  }),
  schema: shape<StoredItem>(
    z.strictObject({
      item,
      phase: z.enum(['contain', 'act']),
      state: z.enum(['PLANNED', 'STARTED', 'DONE', 'PROVED', 'ACCEPTED']),
      acceptedUntil: z.optional(whole),
      startedAt: z.optional(whole),
      target,
      after: z.optional(json),
      doneAt: z.optional(whole),
      proof: z.optional(json),
      provedAt: z.optional(whole),
      foundOpen: z.optional(whole),
      foundOpenAt: z.optional(whole),
    }),
  ),
});

/** Written FREEZING with all that its items are made from, then FROZEN together with the records of it. */
export interface FrozenList {
  readonly state: 'FREEZING' | 'FROZEN';
  /** Which listing of the case it is, from 1. */
  readonly n: number;
  readonly principals: readonly PrincipalRef[];
  readonly targets: Readonly<Record<string, readonly Target[]>>;
}

export interface FrozenPlan {
  readonly state: 'FREEZING' | 'FROZEN';
  readonly inventory: Inventory;
  readonly how: Readonly<Record<string, { readonly how: string; readonly since: number }>>;
  /** Of a give-back: who or what each thing is. */
  readonly targets?: Readonly<Record<string, Target>>;
  /** When it was read: by then the keys were in the states it says, however long the freezing takes. */
  readonly readAt: number;
}

const freezing = z.enum(['FREEZING', 'FROZEN']);

export const CASE_LIST = entity({
  name: 'containment list of a case',
  table: 'cases',
  key: (caseId: string, n: number) => ({ pk: casePartition(caseId), sk: `LIST#${ordered(n, 2)}` }),
  owns: ({ pk, sk }) => pk.startsWith('CASE#') && sk.startsWith('LIST#'),
  part: (caseId: string) => ({ pk: casePartition(caseId), prefix: 'LIST#' }),
  schema: shape<FrozenList>(
    z.strictObject({
      state: freezing,
      n: whole,
      principals: z.array(principalRef),
      targets: z.record(z.string(), z.array(target)),
    }),
  ),
});

export const CASE_PLAN = entity({
  name: 'plan of a case',
  table: 'cases',
  key: (caseId: string, n: number) => ({
    pk: casePartition(caseId),
    sk: n === 1 ? 'PLAN' : `PLAN#${ordered(n, 2)}`,
  }),
  owns: ({ pk, sk }) => pk.startsWith('CASE#') && (sk === 'PLAN' || sk.startsWith('PLAN#')),
  part: (caseId: string) => ({ pk: casePartition(caseId), prefix: 'PLAN' }),
  schema: shape<FrozenPlan>(
    z.strictObject({
      state: freezing,
      inventory,
      how: z.record(z.string(), z.strictObject({ how: text, since: whole })),
      targets: z.optional(z.record(z.string(), target)),
      readAt: whole,
    }),
  ),
});
