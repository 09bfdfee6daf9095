/** Workflow on Step Functions. An execution name is used once for 90 days, which makes a start safe to repeat. */
import {
  DescribeExecutionCommand,
  ExecutionAlreadyExists,
  ExecutionDoesNotExist,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import type { Workflow } from '../ports';
import { clientSettings } from './client-settings';
import { awsError } from './errors';

export { SFNClient };

export class SfnWorkflow implements Workflow {
  constructor(
    private readonly stateMachineArn: string,
    private readonly sfn = new SFNClient(clientSettings()),
  ) {}

  async start(name: string, input: Parameters<Workflow['start']>[1]): Promise<void> {
    const { stateMachineArn } = this;
    try {
      await this.sfn.send(new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) }));
    } catch (error) {
      if (error instanceof ExecutionAlreadyExists) return;
      throw awsError('start the workflow', error);
    }
  }

  async isRunning(name: string): Promise<boolean> {
    const executionArn = `${this.stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
    try {
      const { status } = await this.sfn.send(new DescribeExecutionCommand({ executionArn }));
      return status === 'RUNNING' || status === 'PENDING_REDRIVE';
    } catch (error) {
      if (error instanceof ExecutionDoesNotExist) return false;
      throw awsError('look at the workflow', error);
    }
  }
}
