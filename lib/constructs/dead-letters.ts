/** One queue a stack for what could not be delivered, and the alarm that says so. */
import { Duration, Stack, Validations } from 'aws-cdk-lib';
import { ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

const ID = 'DeadLetters';

export class DeadLetters extends Construct {
  /** The queue of the stack that `scope` stands in; made on first use. */
  static of(scope: Construct): DeadLetters {
    const stack = Stack.of(scope);
    return (stack.node.tryFindChild(ID) as DeadLetters | undefined) ?? new DeadLetters(stack);
  }

  readonly queue: Queue;

  private constructor(stack: Stack) {
    super(stack, ID);
    this.queue = new Queue(this, 'Queue', { enforceSSL: true, retentionPeriod: Duration.days(14) });
    Validations.of(this.queue).acknowledge({ id: 'AwsSolutions-SQS3', reason: 'it is the dead letter queue' });
    this.queue
      .metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(1), statistic: 'Maximum' })
      .createAlarm(this, 'Alarm', {
        alarmDescription: `${stack.stackName}: something was not delivered and waits in the dead letter queue`,
        threshold: 0,
        comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
        evaluationPeriods: 1,
        treatMissingData: TreatMissingData.NOT_BREACHING,
      });
  }
}
