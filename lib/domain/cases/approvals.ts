/**
 * When do two people decide? Two approvals of one decision about one question, by two different approvers who may decide
 * about this worker, within a week of each other, used within a day of the second.
 */
import { canonicalJson, H } from '../base/encoding';
import { CurfewError } from '../base/errors';
import { type Approval, DECISIONS, type Decision } from '../store/approval';
import type { ApproverSet } from '../store/worker';

export type { Decision } from '../store/approval';

/** A person who may decide, as the configuration names them. */
export interface Approver {
  readonly workerId: string;
  /** `AIDA…` of an IAM user, or `AROA…:name` of an Identity Center role and the user in it. */
  readonly identity: string;
}

export interface GivenApproval extends Approval {
  readonly approver: string;
}

/** The second comes at most this long after the first. */
export const SECOND_WITHIN_SECONDS = 7 * 86_400;
/** Both are used at most this long after the second. */
export const USED_WITHIN_SECONDS = 86_400;

interface Matter {
  readonly approvers: readonly Approver[];
  /** Who could approve when, for whoever writes evidence: a verifier asks the same. */
  readonly sets?: readonly ApproverSet[];
  readonly decision: Decision;
  /** What people must have had before them, asked of each approval: an acceptance names its items. Or why nobody can decide it. */
  readonly about: string | ((given: Approval) => { readonly about: string } | { readonly why: string });
  /** By worker id, why somebody may not decide about this case. */
  readonly barred: ReadonlyMap<string, string>;
  readonly now: number;
}

export interface Judged {
  /** Two, the earlier first; or fewer, and then nothing is decided. */
  readonly counted: readonly GivenApproval[];
  readonly isDecided: boolean;
  /** Approvals that do not count, and why. */
  readonly refused: readonly { readonly approver: string; readonly why: string }[];
}

/** Asked where an approval is given, and again by whoever acts on it: an approver may have become a leaver in between. */
export function judgeApprovals(given: readonly GivenApproval[], matter: Matter): Judged {
  const judged = latestOfEach(given, matter.now)
    .filter(({ decision }) => decision === matter.decision)
    .map((approval) => ({ approval, why: refusalOf(approval, matter) }));
  const good = judged
    .filter(({ why }) => why === undefined)
    .map(({ approval }) => approval)
    .sort((a, b) => a.at - b.at || (a.approver < b.approver ? -1 : 1));
  const pairs = good.flatMap((first, n) => good.slice(n + 1).map((second) => [first, second] as const));
  const pair = pairs.find(
    ([first, second]) =>
      first.approver !== second.approver &&
      first.about === second.about &&
      second.at - first.at <= SECOND_WITHIN_SECONDS &&
      matter.now - second.at <= USED_WITHIN_SECONDS,
  );
  return {
    counted: pair ?? good.filter(({ at }) => matter.now - at <= SECOND_WITHIN_SECONDS).slice(-1),
    isDecided: pair !== undefined,
    refused: judged.flatMap(({ approval, why }) => (why === undefined ? [] : [{ approver: approval.approver, why }])),
  };
}

/** The latest word of each approver, as of `now`: whoever gives another one takes back the one before. */
function latestOfEach(given: readonly GivenApproval[], now: number): readonly GivenApproval[] {
  const inOrder = given.filter(({ at }) => at <= now).sort((a, b) => a.at - b.at);
  return [...new Map(inOrder.map((approval) => [approval.approver, approval])).values()];
}

function refusalOf(given: GivenApproval, matter: Matter): string | undefined {
  const { approver, identity, about, at } = given;
  const known = matter.approvers.find(({ workerId }) => workerId === approver);
  if (known === undefined) return 'they are no approver of this deployment';
  if (known.identity !== identity) return 'it was not given under the identity of this approver';
  if (matter.sets && !mayApprove(matter.sets, approver, at))
    return 'they became an approver after they gave it: give it again';
  const asked = typeof matter.about === 'string' ? { about: matter.about } : matter.about(given);
  if ('why' in asked) return asked.why;
  if (about !== asked.about)
    return matter.decision === 'accept'
      ? 'it is about items that are not those of today: look again, then accept'
      : 'it is about statements that are not those of today: look again, then approve';
  return matter.barred.get(approver);
}

/** The approver who signs as this identity. Two of one worker are one person, and no configuration names them twice. */
export function approverOf(approvers: readonly Approver[], identity: string): Approver {
  const found = approvers.find((approver) => approver.identity === identity);
  if (found) return found;
  throw new CurfewError('ERR_NOT_APPROVED', 'who signed this request is no approver of this deployment', {
    got: identity,
    fix: 'sign as one of `approvers` in the configuration: an IAM user, or an Identity Center user in their role',
  });
}

/**
 * The sets that held at some moment of this second, of all of them in their order: the last one before it, and those that
 * begin in it.
 */
export function inForce<S extends { readonly at: number }>(sets: readonly S[], second: number): readonly S[] {
  return [...sets.filter(({ at }) => at < second).slice(-1), ...sets.filter(({ at }) => at === second)];
}

function mayApprove(sets: readonly ApproverSet[], approver: string, at: number): boolean {
  return inForce(sets, at).some(({ members }) => members.some(({ workerId }) => workerId === approver));
}

/** The set on record that is this deployment's, if it is in force: nobody decides by another one. */
export function standingSet(
  sets: readonly ApproverSet[],
  approvers: readonly Approver[],
  now: number,
): ApproverSet | undefined {
  return inForce(sets, now).find((set) => isSet(set, approvers));
}

export function isSet({ members }: ApproverSet, approvers: readonly Approver[]): boolean {
  const ids = new Set(members.map(({ workerId }) => workerId));
  return ids.size === approvers.length && approvers.every(({ workerId }) => ids.has(workerId));
}

/** Names a set of approvers in evidence, by their pseudonyms in whatever order: a verifier computes it again. */
export function approversDigest(pseudonyms: readonly string[]): string {
  return H(canonicalJson([...pseudonyms].sort()));
}

export function parseDecision(given: unknown): Decision {
  const decision = DECISIONS.find((one) => one === given);
  if (decision) return decision;
  throw new CurfewError('ERR_INPUT_INVALID', 'the decision is not one that people can take', {
    got: typeof given === 'string' ? given.slice(0, 40) : typeof given,
    allowed: DECISIONS,
  });
}
