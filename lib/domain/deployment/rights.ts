/**
 * Every Lambda and its whole rights: one table, read three ways.
 *
 * The types of `lib/ports.ts` give a handler no port beyond its row; the constructs grant the row and nothing else;
 * the in-memory twins refuse what the row does not name. A Lambda is an IAM boundary: one for each distinct row.
 */
import type { TableRight } from '../store/table';

export const BUCKETS = ['evidence', 'heads', 'public'] as const;
/** `evidence`: locked, written once. `heads`: what is overwritten (latest checkpoint, partial tiles). `public`: feeds. */
export type Bucket = (typeof BUCKETS)[number];

export type Right =
  | TableRight
  | `${Bucket}:${'get' | 'put' | 'list'}`
  | `invoke:${string}`
  /** Stand in key policies alone: no identity policy grants kms:Sign. */
  | 'sign:ring'
  | 'sign:feed'
  | 'sign:checkpoint'
  /** CreateKey and TagResource by identity policy; Enable, Disable, Describe, GetPublicKey, GetKeyPolicy by key policy. */
  | 'kms:lifecycle'
  /** DisableKey, DescribeKey by key policy. */
  | 'kms:disable'
  | 'seal'
  | 'secret:webhook'
  /** How each HR source signs, what its word is worth, and where its secret is. */
  | 'hr-sources:get'
  | 'secret:pepper'
  | 'iam:read'
  | 'iam:latch'
  | 'iam:disable'
  /** Take the latch off one user. */
  | 'iam:release'
  /** Set an access key Active. */
  | 'iam:enable'
  /** EnableKey and GetKeyPolicy by key policy, of personal keys whose owner lets us. */
  | 'kms:enable'
  /** Whether CloudFormation takes an update of a stack of ours back. */
  | 'stacks:status'
  | 'workflow:start'
  | 'events:put'
  | 'metrics:put'
  | 'http:get';

const ROTATOR = [
  'kms:lifecycle',
  'keys:query',
  'keys:put',
  'keys:update',
  'invoke:issuer',
  'invoke:publisher',
  'stacks:status',
  'http:get',
] as const satisfies readonly Right[];

export const RIGHTS = {
  // signing
  issuer: [
    'sign:ring',
    'keys:get',
    'keys:check',
    'bodies:put',
    'bodies:update',
    'ledger:put',
    'markers:put',
    'cut-offs:check',
    'secret:pepper',
  ],
  rotator: ROTATOR,
  /** The same rights under the same role; invoked by CloudFormation alone. */
  'ring-deployer': ROTATOR,
  taint: ['keys:query', 'keys:put', 'keys:update', 'markers:query'],
  halt: ['keys:query', 'keys:put', 'keys:update'],
  publisher: ['sign:feed', 'keys:query', 'cut-offs:query', 'public:get', 'public:put'],
  'well-known': ['keys:query', 'public:get'],
  cutter: ['cut-offs:get', 'cut-offs:put', 'cut-offs:update', 'secret:pepper'],
  recorder: [
    'keys:get',
    'keys:check',
    'bodies:put',
    'ledger:get',
    'ledger:put',
    'markers:put',
    'cut-offs:check',
    'secret:pepper',
  ],
  committer: ['markers:query', 'markers:delete', 'evidence:put', 'invoke:appender'],
  disabler: ['kms:disable'],
  resigner: [
    'sign:ring',
    'keys:get',
    'keys:check',
    'bodies:get',
    'bodies:put',
    'ledger:get',
    'ledger:query',
    'ledger:put',
    'markers:get',
    'markers:put',
    'cut-offs:get',
    'cut-offs:check',
    'evidence:get',
    'evidence:list',
    'secret:pepper',
  ],
  exchange: ['keys:query', 'ledger:get', 'bodies:get', 'cut-offs:get', 'secret:pepper'],
  'was-issued': ['ledger:get'],
  'outbox-signing': ['invoke:appender', 'events:put'],
  'sweeper-signing': ['keys:scan', 'cut-offs:scan', 'log:get', 'invoke:appender', 'events:put'],
  watch: ['keys:query', 'public:get', 'metrics:put'],
  // offboarding
  intake: ['hr-sources:get', 'secret:webhook', 'inbox:put'],
  'case-folder': [
    'cases:get',
    'cases:query',
    'cases:put',
    'cases:update',
    'cases:delete',
    'inbox:get',
    'inbox:delete',
    'people:query',
    'people:delete',
    'workflow:start',
    'seal',
    'secret:pepper',
  ],
  ticker: [
    'cases:get',
    'cases:query',
    'cases:update',
    'cases:put',
    'cases:delete',
    'inbox:query',
    'approvals:query',
    'people:query',
    'invoke:case-folder',
    'invoke:decider',
    'workflow:start',
    'metrics:put',
    'events:put',
  ],
  'taint-opener': ['keys:query', 'cases:get', 'cases:put', 'cases:update', 'cases:delete', 'workflow:start'],
  'people-import': ['people:put'],
  planner: ['people:query', 'keys:query', 'iam:read', 'cases:get', 'cases:query', 'cases:put', 'cases:update', 'seal'],
  conductor: [
    'cases:get',
    'cases:query',
    'cases:put',
    'cases:update',
    'seal',
    'secret:pepper',
    'iam:read',
    'invoke:cutter',
    'invoke:latch',
    'invoke:iam-disabler',
    'invoke:disabler',
    'invoke:rotator',
    'invoke:taint',
    'invoke:publisher',
    'invoke:committer',
    'invoke:latch-release',
    'invoke:key-enabler',
    'invoke:subject-release',
    'cases:delete',
    'cases:check',
  ],
  approvals: ['approvals:put'],
  decider: [
    'approvals:query',
    'approvals:update',
    'approvals:delete',
    'cases:get',
    'cases:query',
    'cases:put',
    'cases:update',
    'cases:delete',
    'people:query',
    'workflow:start',
    'seal',
    'secret:pepper',
  ],
  latch: ['iam:latch'],
  'latch-release': ['iam:release', 'approvals:query', 'cases:get', 'cases:query'],
  'key-enabler': ['iam:enable', 'kms:enable', 'approvals:query', 'cases:get', 'cases:query'],
  'subject-release': [
    'cut-offs:get',
    'cut-offs:put',
    'cut-offs:update',
    'secret:pepper',
    'approvals:query',
    'cases:get',
    'cases:query',
  ],
  'iam-disabler': ['iam:disable'],
  prover: [
    'iam:read',
    'keys:query',
    'cases:get',
    'cases:query',
    'cases:put',
    'cases:update',
    'invoke:issuer',
    'invoke:disabler',
    'secret:pepper',
    'http:get',
  ],
  rechecker: [
    'cases:get',
    'cases:query',
    'cases:put',
    'cases:update',
    'cases:delete',
    'invoke:planner',
    'invoke:prover',
    'invoke:conductor',
  ],
  closer: [
    'cases:get',
    'cases:query',
    'cases:put',
    'cases:update',
    'log:get',
    'keys:query',
    'people:query',
    'invoke:sequencer',
  ],
  'outbox-offboarding': ['invoke:appender', 'events:put'],
  'sweeper-offboarding': ['cases:scan', 'log:get', 'invoke:appender', 'events:put'],
  // evidence
  appender: ['log:put'],
  sequencer: [
    'sign:checkpoint',
    'log:get',
    'log:query',
    'log:put',
    'log:update',
    'log:delete',
    'evidence:get',
    'evidence:put',
    'heads:get',
    'heads:put',
  ],
} as const satisfies Record<string, readonly Right[]>;

export type FunctionName = keyof typeof RIGHTS;
export type RightsOf<F extends FunctionName> = (typeof RIGHTS)[F][number];
