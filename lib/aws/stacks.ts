/** Stacks on CloudFormation: what state one is in, and nothing else. */
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { isCurfewError } from '../domain/base/errors';
import type { Stacks } from '../ports';
import { clientSettings } from './client-settings';
import { calling } from './errors';

export { CloudFormationClient };

/** From the first resource that is taken back to the last, also when people continue a roll-back that failed. */
const ROLLING_BACK = 'UPDATE_ROLLBACK_IN_PROGRESS';

export class CloudformationStacks implements Stacks {
  constructor(private readonly client = new CloudFormationClient(clientSettings())) {}

  async isRollingBack(stackId: string): Promise<boolean> {
    try {
      const look = new DescribeStacksCommand({ StackName: stackId });
      const { Stacks: [stack] = [] } = await calling('describe the stack', () => this.client.send(look));
      return stack?.StackStatus === ROLLING_BACK;
    } catch (error) {
      // A ring in a stack of another name. What we cannot see is no roll-back: what may not change is refused.
      if (isCurfewError(error, 'ERR_ACCESS_DENIED')) return false;
      throw error;
    }
  }
}
