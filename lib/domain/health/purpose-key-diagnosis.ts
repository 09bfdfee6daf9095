/**
 * What `curfew doctor` makes of the two signing keys outside the rings, `feed` and `checkpoint`: only their one
 * Lambda may use them, root administers them and may not sign, and no grant exists.
 */
import { answersOf, type Finding, MAY_LOOK, type Seen } from './finding';

export interface PurposeKeyFacts {
  /** ARN of the role that signs with it, as the stack says. */
  readonly signer: Seen<string>;
  readonly policy: Seen<string>;
  /** Ids of its grants. */
  readonly grants: Seen<readonly string[]>;
}

const { ok, problem, unknown } = answersOf('instance');
/** What root must not be able to hand on by an identity policy. */
const NOT_FOR_ROOT = ['kms:Sign', 'kms:CreateGrant'];

export function diagnosePurposeKey(name: string, { signer, policy, grants }: PurposeKeyFacts): Finding {
  const check = `${name} key`;
  const wrong = [
    ...('seen' in signer && 'seen' in policy ? strangersIn(policy.seen, signer.seen) : []),
    ...('seen' in grants ? grants.seen.map((id) => `grant ${id}`) : []),
  ];
  if (wrong.length > 0)
    return problem(
      check,
      `others may use it or hand it on: ${wrong.join(', ')}`,
      'find the PutKeyPolicy or CreateGrant in CloudTrail, and deploy again: the stack writes the policy',
    );
  const unseen = [signer, policy, grants].flatMap((one) => ('unseen' in one ? [one.unseen] : []));
  if (unseen.length > 0) return unknown(check, `could not be read in full: ${unseen[0]}`, MAY_LOOK);
  return ok(check, 'its policy names one signer and root, who may not sign; no grant');
}

interface Statement {
  readonly Effect?: string;
  readonly Principal?: unknown;
  readonly Action?: string | readonly string[];
}

/** Whom a policy allows anything, beside the signer and root; a statement that does not name whom, or what, counts. */
function strangersIn(policy: string, signer: string): string[] {
  const root = `arn:aws:iam::${signer.split(':')[4]}:root`;
  const { Statement: given = [] } = JSON.parse(policy) as { Statement?: Statement | readonly Statement[] };
  const allowing = ([given].flat() as readonly Statement[]).filter(({ Effect }) => Effect !== 'Deny');
  const found = allowing.flatMap(({ Principal, Action }) => {
    const actions = Action === undefined ? ['kms:*'] : [Action].flat();
    return principalsOf(Principal).filter(
      (principal) => principal !== signer && !(principal === root && !actions.some(isTooMuchForRoot)),
    );
  });
  return [...new Set(found)];
}

/** Accounts, roles, services and the federated alike. */
function principalsOf(principal: unknown): string[] {
  if (typeof principal === 'string') return [principal];
  if (principal === null || typeof principal !== 'object') return ['every principal that NotPrincipal does not except'];
  return Object.values(principal).flat().map(String);
}

function isTooMuchForRoot(action: string): boolean {
  const escaped = action.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  const pattern = new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 'i');
  return NOT_FOR_ROOT.some((name) => pattern.test(name));
}
