/**
 * Every command of the CLI and all that it asks AWS for, and the roles that people use it in: one table, read by the
 * CLI (its commands are these), by the managed policies (they grant this and no more) and by the tests.
 *
 * No command signs or writes a table or a key policy: it changes things through a Lambda that it may invoke.
 */
import type { Right } from './rights';

export type AccessRight =
  | Right
  /** Names and states of the instance's stacks, by which the CLI finds everything else. */
  | 'stacks:look'
  /** State, policy and grants of KMS keys, as far as their key policies leave that to IAM. */
  | 'kms:look'
  /** What IAM would say of a key's birth; nothing is created. */
  | 'births:look'
  /** The public key that verifiers pin. */
  | 'feed-key:read'
  /** Whether a secret was given a value; never the value. */
  | 'webhook-secrets:look'
  /** How many items the table has; none of them. */
  | 'people-table:look'
  | 'alarms:look'
  | 'metrics:look'
  /** Quotas of Lambda and KMS in this account. */
  | 'account:look'
  /** Routes of the HTTP API that ask who signed: import people, decide about a case. */
  | 'post:people'
  | 'post:approvals';

/** A command without rights works offline, for every user. */
export const COMMAND_RIGHTS = {
  'ring list': ['stacks:look', 'keys:query'],
  'ring show': ['stacks:look', 'keys:query'],
  'ring rotate': ['stacks:look', 'keys:query', 'invoke:rotator'],
  'ring taint': [
    'stacks:look',
    'keys:query',
    'cases:get',
    'invoke:taint-opener',
    'invoke:rotator',
    'invoke:taint',
    'invoke:publisher',
    'invoke:committer',
    'invoke:resigner',
  ],
  'ring halt': ['stacks:look', 'keys:query', 'invoke:halt'],
  'ring resume': ['stacks:look', 'keys:query', 'invoke:halt'],
  doctor: [
    'stacks:look',
    'keys:query',
    'markers:query',
    'kms:look',
    'births:look',
    'feed-key:read',
    'webhook-secrets:look',
    'people-table:look',
    'alarms:look',
    'metrics:look',
    'account:look',
    'http:get',
  ],
  'case show': ['stacks:look', 'cases:get', 'cases:query', 'approvals:query'],
  'case due': ['stacks:look', 'cases:query'],
  'case list': ['stacks:look', 'cases:get', 'cases:query'],
  'case explain': ['stacks:look', 'cases:get', 'cases:query'],
  'case approve': ['stacks:look', 'cases:get', 'cases:query', 'approvals:query', 'post:approvals'],
  'case give-back': ['stacks:look', 'cases:get', 'cases:query', 'approvals:query', 'post:approvals'],
  'case readmit': ['stacks:look', 'cases:get', 'cases:query', 'approvals:query', 'post:approvals'],
  'case accept': ['stacks:look', 'cases:get', 'cases:query', 'approvals:query', 'post:approvals'],
  'people import': ['stacks:look', 'post:people'],
  'adopt record': ['stacks:look', 'invoke:recorder'],
  'verifier config': ['stacks:look', 'keys:query', 'feed-key:read', 'secret:pepper'],
  'evidence export': ['stacks:look', 'evidence:get', 'heads:get'],
  'evidence verify': [],
  'evidence report': [],
} as const satisfies Record<string, readonly AccessRight[]>;

export type CommandName = keyof typeof COMMAND_RIGHTS;
export type RightsOfCommand<C extends CommandName> = (typeof COMMAND_RIGHTS)[C][number];

/**
 * Who may do what; each is a managed policy `curfew-{instance}-{role}` that is attached to nobody. Whatever the rights of
 * a role suffice for is listed too: IAM knows which Lambda is invoked, not what it is asked.
 */
export const ROLES = {
  /** Keeps it running. */
  operator: [
    'ring list',
    'ring show',
    'ring rotate',
    'doctor',
    'case list',
    'case show',
    'case explain',
    'case due',
    'people import',
    'adopt record',
    'verifier config',
  ],
  /** Ends keys and stops rings. */
  responder: [
    'ring list',
    'ring show',
    'ring rotate',
    'ring taint',
    'ring halt',
    'ring resume',
    'doctor',
    'case list',
    'case show',
    'case explain',
    'case due',
  ],
  /** Decides about cases in doubt, with another one; which people that are stands in the configuration. */
  approver: [
    'case list',
    'case show',
    'case explain',
    'case approve',
    'case give-back',
    'case readmit',
    'case accept',
    'case due',
  ],
  /** Reads, and changes nothing. */
  auditor: ['ring list', 'ring show', 'case list', 'case show', 'case explain', 'case due', 'evidence export'],
} as const satisfies Record<string, readonly CommandName[]>;

export type RoleName = keyof typeof ROLES;

/** The rights that these commands need together, each once. */
export function rightsFor(commands: readonly CommandName[]): readonly AccessRight[] {
  return [...new Set(commands.flatMap((command): readonly AccessRight[] => COMMAND_RIGHTS[command]))];
}
