/** IAM users for emergencies, whom no departure may lock out: neither a mistake in HR nor somebody who writes to it. */
import { Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { CurfewError } from '../../domain/base/errors';

/** One user, without a wildcard: a pattern could spare people whom its author never thought of. */
const USER_ARN = /^arn:aws[a-z-]*:iam::\d{12}:user\/[\w+=,.@/-]+$/;

export function parseBreakGlassArns(arns: readonly string[]): readonly string[] {
  const odd = arns.filter((arn) => !USER_ARN.test(arn));
  if (odd.length === 0) return arns;
  throw new CurfewError('ERR_CONFIG_INVALID', `breakGlassArns: ${odd[0]} is not the ARN of one IAM user`, {
    got: odd,
    allowed: 'arn:aws:iam::111122223333:user/NAME; no role, no wildcard',
    fix: 'copy it from `aws iam get-user`; Curfew changes no roles, so they need not be listed',
  });
}

/** A Deny outweighs whatever else a policy allows. Nobody to spare: no statement. */
export function denyOn(arns: readonly string[], actions: readonly string[]): PolicyStatement[] {
  if (arns.length === 0) return [];
  return [
    new PolicyStatement({
      sid: 'DenyOnBreakGlass',
      effect: Effect.DENY,
      actions: [...actions],
      resources: [...arns],
    }),
  ];
}
