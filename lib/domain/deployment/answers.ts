/**
 * The shapes of what Lambdas answer, so that a caller parses an answer and does not believe it. During a deployment an old
 * callee answers a new caller: a member that the caller does not know is left out, and one that is missing refuses the whole.
 */
import * as z from 'zod/mini';
import { CurfewError } from '../base/errors';
import { DECISIONS } from '../store/approval';
import type { Schema } from '../store/entity';
import { counts, flag, text, whole } from '../store/shapes';
import type { Messages } from './messages';

const keyStates = z.array(z.object({ kid: text, state: text }));
const batch = z.object({ ring: text, fromKid: text, shards: z.array(whole) });
const numbers = z.array(z.object({ nn: text }));
/** That the callee answered is all that it says. */
const nothing: Schema<Readonly<Record<string, never>>> = z.object({});

const ANSWERS: { readonly [F in keyof Messages]: Schema<Messages[F]['response']> } = {
  issuer: z.object({
    token: z.optional(text),
    exp: z.optional(whole),
    probe: z.optional(z.object({ signed: flag, code: z.optional(text) })),
  }),
  rotator: z.object({
    done: z.array(text),
    kid: z.optional(text),
    disabled: z.optional(keyStates),
    failed: z.optional(z.array(text)),
  }),
  taint: z.object({ states: keyStates, batches: z.array(batch) }),
  'taint-opener': z.object({ caseId: text }),
  halt: z.object({ halted: flag, activeKid: z.optional(text) }),
  publisher: z.object({ seq: whole }),
  cutter: z.object({ cutOffs: z.array(z.object({ notBefore: whole, blocked: flag })) }),
  recorder: z.object({ recorded: whole, refused: z.array(z.object({ n: whole, code: text })) }),
  disabler: z.object({ state: text }),
  latch: nothing,
  'iam-disabler': nothing,
  'latch-release': nothing,
  'key-enabler': z.object({ mayEnable: z.optional(flag) }),
  'subject-release': z.object({ cutOffs: z.array(z.object({ notBefore: whole, blocked: flag })) }),
  decider: z.object({ decided: z.optional(z.enum(DECISIONS)) }),
  planner: z.object({ items: numbers, all: numbers }),
  conductor: z.object({ nn: z.optional(text) }),
  prover: z.object({ nn: text, open: z.optional(flag) }),
  committer: z.object({ committed: whole }),
  resigner: z.object({ found: whole, resigned: whole, excluded: counts }),
  appender: z.object({ appended: whole }),
  sequencer: z.object({ size: whole, root: text }),
  'case-folder': nothing,
};

/** Throws `ERR_UNAVAILABLE`: the callee may have done what it was asked. The message names a member and never a value. */
export function parseAnswer<F extends keyof Messages>(name: F, answer: unknown): Messages[F]['response'] {
  const result = z.safeParse(ANSWERS[name], answer);
  if (result.success) return result.data;
  const member = (result.error.issues[0]?.path ?? []).map(String).join('.') || 'the whole';
  throw new CurfewError('ERR_UNAVAILABLE', `${name} answered something that is not a message`, {
    got: { member, is: 'missing, or not what it must be' },
    fix: `see the log of ${name}, then retry: every invocation may run twice`,
  });
}
