/** One dead letter queue per stack, and the alarm that says so. */
import { Duration, Stack, Validations } from 'aws-cdk-lib';
import type { IAlarmAction } from 'aws-cdk-lib/aws-cloudwatch';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { CurfewAlarm } from '../watch/alarms';

const ID = 'DeadLetters';

export class DeadLetters extends Construct {
  /** The queue of the stack that `scope` stands in; made on first use. */
  static of(scope: Construct): DeadLetters {
    const stack = Stack.of(scope);
    return (stack.node.tryFindChild(ID) as DeadLetters | undefined) ?? new DeadLetters(stack);
  }

  readonly queue: Queue;
  readonly alarm: CurfewAlarm;

  private constructor(stack: Stack) {
    super(stack, ID);
    this.queue = new Queue(this, 'Queue', { enforceSSL: true, retentionPeriod: Duration.days(14) });
    Validations.of(this.queue).acknowledge({ id: 'AwsSolutions-SQS3', reason: 'it is the dead letter queue' });
    this.alarm = new CurfewAlarm(this, 'Alarm', {
      alarm: 'DeadLetters',
      of: stack.stackName,
      metric: this.queue.metricApproximateNumberOfMessagesVisible(),
      logicalId: 'AlarmDeadLetters',
    });
  }

  /** Also of what is there already: the queue is made by whichever construct needs it first. */
  notify(actions: readonly IAlarmAction[]): void {
    for (const action of actions) {
      this.alarm.addAlarmAction(action);
      this.alarm.addOkAction(action);
    }
  }
}
