/**
 * A taint turns its ring within seconds, whoever asked for it and whether or not they lived to ask for the next step: the
 * record of it leaves the table with the stream, and the rotator does what is due as at a tick. A key that somebody may
 * have copied is disabled there, and not up to an hour later.
 */
import { Duration } from 'aws-cdk-lib';
import { EventField, type IEventBus, Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { Construct } from 'constructs';
import type { CurfewFunction } from '../functions/curfew-function';
import { DeadLetters } from '../functions/dead-letters';
import { pinLogicalId } from '../parts/stage';

interface TurnTaintedProps {
  readonly instance: string;
  readonly eventBus: IEventBus;
  readonly rotator: CurfewFunction;
}

export function turnTaintedAtOnce(scope: Construct, { instance, eventBus, rotator }: TurnTaintedProps): void {
  rotator.keepFailures();
  const rule = new Rule(scope, 'TurnTainted', {
    description: `curfew ${instance}: a key was tainted, so its ring does what is due`,
    eventBus,
    eventPattern: { source: ['curfew'], detailType: ['KeyStateChanged'], detail: { type: ['key.tainted'] } },
    targets: [
      new LambdaFunction(rotator.function, {
        event: RuleTargetInput.fromObject({ op: 'tick', ring: EventField.fromPath('$.detail.ring') }),
        deadLetterQueue: DeadLetters.of(scope).queue,
        maxEventAge: Duration.hours(1),
        retryAttempts: 5,
      }),
    ],
  });
  pinLogicalId(rule, 'RuleTurnTainted');
}
