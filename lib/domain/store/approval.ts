/**
 * Decisions of people about a case, in table `approvals`. The Lambda that writes it can do nothing else.
 *
 *     {caseId}#{question} | {at}#{approver}            decision about accepts? reason identity at; append only
 *     PENDING | {at}#{caseId}#{question}#{approver}    not looked at yet; the ticker looks here
 *
 * Who can write this table can let a held case go on, give a departure back, or accept what is open, in the name of two approvers.
 */
import * as z from 'zod/mini';
import { entity, shape } from './entity';
import { flag, text, whole } from './shapes';
import { ordered, type RowKey } from './table';

export const DECISIONS = ['go-on', 'give-back', 'readmit', 'accept'] as const;
/**
 * `go-on`: what was planned is done. `give-back`: everything that containment shut is opened again. `readmit`: one subject is,
 * of a worker whom HR has taken on again. `accept`: items that nobody can act on stand open until a date.
 */
export type Decision = (typeof DECISIONS)[number];

export interface Approval {
  readonly decision: Decision;
  /** Digest of what the approver had before them: the statements that are overruled. */
  readonly about: string;
  /** Of `accept`: which items, and until when. */
  readonly accepts?: { readonly items: readonly string[]; readonly until: number };
  readonly reason: string;
  /** As API Gateway names who signed the request: never what somebody says of themselves. */
  readonly identity: string;
  readonly at: number;
  /** What the decider made of it, when it last looked: for the approver to read. */
  readonly counts?: boolean;
  readonly why?: string;
}

/** No case has this name: ids begin with `c-`. */
const PENDING = 'PENDING';

export const APPROVAL = entity({
  name: 'approval',
  table: 'approvals',
  key: (caseId: string, question: number, at: number, approver: string) => ({
    pk: `${caseId}#${question}`,
    sk: `${ordered(at, 12)}#${approver}`,
  }),
  owns: ({ pk }) => pk !== PENDING,
  part: (caseId: string, question: number) => ({ pk: `${caseId}#${question}` }),
  schema: shape<Approval>(
    z.strictObject({
      decision: z.enum(DECISIONS),
      about: text,
      accepts: z.optional(z.strictObject({ items: z.array(text), until: whole })),
      reason: text,
      identity: text,
      at: whole,
      counts: z.optional(flag),
      why: z.optional(text),
    }),
  ),
  fromKey: (key) => ({ key, approver: key.sk.slice(key.sk.indexOf('#') + 1) }),
});

export const PENDING_APPROVAL = entity({
  name: 'approval that waits to be looked at',
  table: 'approvals',
  key: (at: number, caseId: string, question: number, approver: string) => ({
    pk: PENDING,
    sk: `${ordered(at, 12)}#${caseId}#${question}#${approver}`,
  }),
  owns: ({ pk }) => pk === PENDING,
  part: () => ({ pk: PENDING }),
  schema: shape<{ readonly caseId: string; readonly question: number; readonly at: number }>(
    z.strictObject({ caseId: text, question: whole, at: whole }),
  ),
  fromKey: (key) => ({ key }),
});

/** What the key of such a row says; undefined for another row. */
export function pendingOf({ pk, sk }: RowKey): { caseId: string; question: number } | undefined {
  const [, caseId = '', question = ''] = sk.split('#');
  return pk === PENDING ? { caseId, question: Number(question) } : undefined;
}
