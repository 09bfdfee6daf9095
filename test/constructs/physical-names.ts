/** Which property of a resource fixes its physical name. A type that no table row speaks of fails a test. */
import type { Resource } from './templates';

/** `undefined`: AWS names it, or it has no name of its own. */
export const NAMES: Readonly<Record<string, string | undefined>> = {
  'AWS::ApiGatewayV2::Api': undefined, // `Name` is a label: two may be alike
  'AWS::ApiGatewayV2::Integration': undefined,
  'AWS::ApiGatewayV2::Route': undefined,
  'AWS::ApiGatewayV2::Stage': undefined, // of one API
  'AWS::CloudFront::CachePolicy': 'CachePolicyConfig.Name',
  'AWS::CloudFront::Distribution': undefined,
  'AWS::CloudWatch::Alarm': 'AlarmName',
  'AWS::CloudWatch::Dashboard': 'DashboardName',
  'AWS::DynamoDB::GlobalTable': 'TableName',
  'AWS::Events::EventBus': 'Name',
  'AWS::Events::Rule': 'Name',
  'AWS::IAM::ManagedPolicy': 'ManagedPolicyName',
  'AWS::IAM::Policy': undefined, // of one role
  'AWS::IAM::Role': 'RoleName',
  'AWS::KMS::Key': undefined,
  'AWS::Lambda::EventInvokeConfig': undefined,
  'AWS::Lambda::EventSourceMapping': undefined,
  'AWS::Lambda::Function': 'FunctionName',
  'AWS::Lambda::Permission': undefined,
  'AWS::Logs::LogGroup': 'LogGroupName',
  'AWS::Logs::MetricFilter': undefined, // of one log group
  'AWS::S3::Bucket': 'BucketName',
  'AWS::S3::BucketPolicy': undefined,
  'AWS::SQS::Queue': 'QueueName',
  'AWS::SQS::QueuePolicy': undefined,
  'AWS::Scheduler::Schedule': 'Name',
  'AWS::SecretsManager::Secret': 'Name',
  'AWS::StepFunctions::StateMachine': 'StateMachineName',
  'Custom::CurfewRing': undefined,
};

export function nameOf({ Type, Properties }: Pick<Resource, 'Type' | 'Properties'>): unknown {
  let found: unknown = Properties;
  for (const member of NAMES[Type]?.split('.') ?? [''])
    found = (found as Record<string, unknown> | undefined)?.[member];
  return found;
}
