/** Stack `evidence`: the log that the others write to. It can be deployed to an account of its own people. */
import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { EvidenceLog, type EvidenceLogProps } from '../constructs/evidence/evidence-log';
import { pascal } from '../constructs/parts/names';

export class EvidenceStack extends Stack {
  readonly log: EvidenceLog;

  constructor(scope: Construct, id: string, props: StackProps & EvidenceLogProps) {
    super(scope, id, props);
    this.log = new EvidenceLog(this, 'Log', props);
    new CfnOutput(this, 'EvidenceBucketName', { value: this.log.evidenceBucket.bucketName });
    new CfnOutput(this, 'HeadsBucketName', { value: this.log.headsBucket.bucketName });
    new CfnOutput(this, 'CheckpointKeyArn', { value: this.log.checkpointKey.keyArn });
    new CfnOutput(this, 'RoleSequencerArn', { value: this.log.sequencer.role.roleArn });
    new CfnOutput(this, 'EvidenceReaderRoleArn', { value: this.log.reader.roleArn });
    new CfnOutput(this, 'TableLogName', { value: this.log.logTable.tableName });
    for (const name of ['appender', 'sequencer'] as const)
      new CfnOutput(this, `Function${pascal(name)}Name`, { value: this.log[name].function.functionName });
  }
}
