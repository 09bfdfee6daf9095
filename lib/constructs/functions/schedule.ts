/** A call of a Lambda on a schedule; what could not be delivered, or failed, lands in a queue that is looked at. */
import { Duration } from 'aws-cdk-lib';
import { Schedule, type ScheduleExpression, ScheduleTargetInput } from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets';
import { Construct } from 'constructs';
import type { CurfewFunction } from './curfew-function';
import { DeadLetters } from './dead-letters';

interface CurfewScheduleProps {
  readonly target: CurfewFunction;
  readonly every: ScheduleExpression;
  readonly input: Readonly<Record<string, unknown>>;
}

export class CurfewSchedule extends Construct {
  readonly schedule: Schedule;

  constructor(scope: Construct, id: string, { target, every, input }: CurfewScheduleProps) {
    super(scope, id);
    target.keepFailures();
    this.schedule = new Schedule(this, 'Schedule', {
      schedule: every,
      target: new LambdaInvoke(target.function, {
        input: ScheduleTargetInput.fromObject(input),
        deadLetterQueue: DeadLetters.of(this).queue,
        // The next tick asks the same questions; an old one has nothing to add.
        maxEventAge: Duration.minutes(5),
        retryAttempts: 2,
      }),
    });
  }
}
