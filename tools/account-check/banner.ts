/** What somebody has to know before this starts: the first lines that it prints. */
import { PENDING_DAYS } from './kms-checks';

export const BANNER = [
  'This check was never run by us: we have no AWS account. We tested it against stubs and against an emulator.',
  'Run it in an account that you can throw away. It takes about 40 minutes, and costs less than 5 USD.',
  'It makes: the three stacks of a trial instance, some ten KMS keys, an IAM role, a policy, two IAM users (one with an',
  'access key that is allowed to list aliases), three tables and a bucket. It removes them at the end, whatever happened.',
  `It leaves behind: KMS keys that are deleted after ${PENDING_DAYS} days and cost nothing until then, the evidence bucket, which is`,
  'locked for a day (docs/remove.md says how to delete it), a figure in CloudWatch, and what `cdk bootstrap` made.',
].join('\n');
