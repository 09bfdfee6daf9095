/**
 * What `curfew doctor` makes of births: may the rotator create keys as it does, and does a birth stand still? A ring key
 * has a policy under which nobody can change it, so CreateKey must skip KMS's lock-out check (kms.lockout), and some
 * organisations deny that.
 */
import { instant, span } from '../base/time';
import type { Ring } from '../rings/ring';
import { answersOf, count, type Finding, MAY_LOOK, type Seen } from './finding';

/** What IAM's simulation says of one CreateKey by the rotator. Nothing was created. */
export interface BirthVerdict {
  readonly allowed: boolean;
  /** A control policy of the organisation denies it; undefined where none applies. */
  readonly organizationDenies?: boolean;
  /** The same control policies would let it through if it did not skip the check. */
  readonly deniesBypassOnly?: boolean;
  readonly boundaryDenies?: boolean;
  /** Context keys that the simulation asked for and we did not know. */
  readonly missing: readonly string[];
}

export interface BirthFacts {
  readonly rotatorArn: Seen<string>;
  /** By the key spec of KMS. */
  readonly births: Readonly<Record<string, Seen<BirthVerdict>>>;
}

/** Three keys take a minute, with every passing error of KMS and of propagation some more. */
const BIRTH_SECONDS_MAX = 600;
const CHECK = 'birth of keys';

export function diagnoseBirths({ births, rotatorArn }: BirthFacts): Finding[] {
  const { ok, problem, unknown } = answersOf('instance');
  return Object.entries(births).map(([keySpec, found]) => {
    if ('unseen' in found) return unknown(CHECK, `IAM did not simulate CreateKey: ${found.unseen}`, MAY_LOOK);
    const { allowed, organizationDenies, deniesBypassOnly, boundaryDenies, missing } = found.seen;
    if (allowed) return ok(CHECK, `the rotator may create ${keySpec} keys and skip the lock-out check`);
    const rotator = 'seen' in rotatorArn ? rotatorArn.seen : 'the rotator';
    if (organizationDenies)
      return problem(
        CHECK,
        `a control policy of your organisation denies the rotator kms:CreateKey${deniesBypassOnly ? ' with BypassPolicyLockoutSafetyCheck' : ''}: no key is born`,
        `ask for an exemption of ${rotator} from it${deniesBypassOnly ? ' (in Control Tower it is CT.KMS.PV.3)' : ''}`,
      );
    if (missing.length > 0)
      return unknown(
        CHECK,
        `IAM's simulation says no, but did not know ${missing.join(', ')}`,
        'see the log of the rotator: an AccessDenied of CreateKey says whose policy it was',
      );
    return boundaryDenies
      ? problem(
          CHECK,
          'a permissions boundary denies the rotator kms:CreateKey: no key is born',
          `widen the boundary of ${rotator}`,
        )
      : problem(
          CHECK,
          'the policy of the rotator does not allow kms:CreateKey: no key is born',
          'deploy the signing stack again: it writes that policy',
        );
  });
}

/** A slot is reserved before its key is made, and adopted when the key was read back disabled. */
export function diagnoseSlots({ ring, at }: { readonly ring: Ring; readonly at: number }): Finding[] {
  const { problem } = answersOf(ring.id);
  const late = ring.slots.filter((slot) => slot.state !== 'ADOPTED' && at - slot.at > BIRTH_SECONDS_MAX);
  const [first] = late;
  if (first === undefined) return [];
  const why = first.state === 'INTENT' ? 'KMS made no key for it' : 'its key was not adopted';
  const more = late.length > 1 ? `; ${count(late.length - 1, 'more slot')} as well` : '';
  return [
    problem(
      'births',
      `slot ${first.slot} stands in ${first.state} since ${instant(first.at)}, ${span(at - first.at)}: ${why}${more}`,
      `read the log of the rotator for what KMS answered; the row \`${CHECK}\` says whether a policy denies it`,
    ),
  ];
}
