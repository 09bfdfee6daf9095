/** A case that waits for people tells them so, and again for as long as nobody answers: which case and why, and no name. */
import { Duration, Validations } from 'aws-cdk-lib';
import { EventField, type IEventBus, Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import { SnsTopic } from 'aws-cdk-lib/aws-events-targets';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { DeadLetters } from '../functions/dead-letters';
import { pinLogicalId } from '../parts/stage';

interface AskApproversProps {
  readonly instance: string;
  readonly eventBus: IEventBus;
  readonly approversTopicArn: string;
}

export function askApprovers(scope: Construct, { instance, eventBus, approversTopicArn }: AskApproversProps): void {
  const field = (name: string) => EventField.fromPath(`$.detail.${name}`);
  const text = `Case ${field('id')} of Curfew ${instance} asks two approvers to decide: ${field('reasons')}. Notice ${field('count')}. Look: curfew case explain ${field('id')} --instance ${instance}. They can decide once the case is contained.`;
  const rule = new Rule(scope, 'AskApprovers', {
    description: `curfew ${instance}: a case waits for two approvers`,
    eventBus,
    eventPattern: { source: ['curfew'], detailType: ['CaseAsked'] },
    targets: [
      new SnsTopic(Topic.fromTopicArn(scope, 'ApproversTopic', approversTopicArn), {
        message: RuleTargetInput.fromText(text),
        deadLetterQueue: DeadLetters.of(scope).queue,
        maxEventAge: Duration.hours(1),
        retryAttempts: 5,
      }),
    ],
  });
  Validations.of(rule).acknowledge({
    id: 'Annotation::@aws-cdk/aws-events:ruleUnresolvedEnvironment',
    reason: 'the topic is given by its ARN, which says of which account and Region it is',
  });
  pinLogicalId(rule, 'RuleAskApprovers');
}
