/**
 * Known ways in which a right becomes more rights, or undoes what Curfew did. https://github.com/RhinoSecurityLabs/AWS-IAM-Privilege-Escalation
 * names those of IAM and Lambda; those of keys and evidence are our own. None may be open, but to whom the row spares.
 */
import type { Allowed } from './matrix';

export interface Escalation {
  readonly name: string;
  readonly action: RegExp;
  /** Things that it is about; all of them unless given. */
  readonly on?: RegExp;
  /** Whose work it is, and under which condition alone. */
  readonly spared?: { readonly by: RegExp; readonly when?: RegExp };
}

const RING_KEY = /^ring key$/;
const DENY_POLICY = /^iam:PolicyARN ArnEquals arn:aws:iam::\d+:policy\/PolicyDenyLeavers$/;

export const ESCALATIONS: readonly Escalation[] = [
  { name: 'give a service a role of ours', action: /^iam:PassRole$/ },
  { name: 'become a role', action: /^sts:(AssumeRole\w*|GetFederationToken|TagSession|SetSourceIdentity)$/ },
  { name: 'let somebody else become a role', action: /^iam:(UpdateAssumeRolePolicy|CreateRole|UpdateRole)$/ },
  {
    name: 'run other code in a role of ours',
    action:
      /^lambda:(UpdateFunction\w*|CreateFunction|PublishLayerVersion|AddPermission|\w+EventSourceMapping|\w+FunctionUrlConfig)$/,
  },
  {
    name: 'change what a departure does',
    action: /^states:(UpdateStateMachine|CreateStateMachine|DeleteStateMachine)$/,
  },
  { name: 'write a key policy', action: /^kms:PutKeyPolicy$/ },
  { name: 'give a grant on a key', action: /^kms:CreateGrant$/ },
  { name: 'copy a key to another Region', action: /^kms:(ReplicateKey|UpdatePrimaryRegion)$/ },
  { name: 'end a key for good', action: /^kms:(ScheduleKeyDeletion|DeleteImportedKeyMaterial|ImportKeyMaterial)$/ },
  {
    name: 'sign as a ring',
    action: /^kms:Sign$/,
    on: RING_KEY,
    spared: {
      by: /^Role(Issuer|Resigner)$/,
      when: /^\(aws:CurrentTime DateLessThanEquals \S+ and kms:MessageType StringNotEquals RAW\)$/,
    },
  },
  { name: 'sign a feed', action: /^kms:Sign$/, on: /^KeyFeed$/, spared: { by: /^RolePublisher$/ } },
  { name: 'sign a checkpoint', action: /^kms:Sign$/, on: /^KeyCheckpoint$/, spared: { by: /^RoleSequencer$/ } },
  { name: 'sign with any other key', action: /^kms:(Sign|GenerateMac)$/, on: /^(Key(?!Feed|Checkpoint)|neighbour)/ },
  { name: 'enable a dead key', action: /^kms:EnableKey$/, spared: { by: /^RoleRotator$/ } },
  { name: 'disable a key', action: /^kms:DisableKey$/, spared: { by: /^Role(Rotator|Disabler)$/ } },
  {
    name: 'attach another policy than the deny policy to a user',
    action: /^iam:AttachUserPolicy$/,
    spared: { by: /^RoleLatch$/, when: DENY_POLICY },
  },
  // It asks for the two approvals itself, and for the claim of the give-back.
  {
    name: 'take the deny policy off a user',
    action: /^iam:DetachUserPolicy$/,
    spared: { by: /^RoleLatchRelease$/, when: DENY_POLICY },
  },
  { name: 'take the tag off a leaver', action: /^iam:UntagUser$/, spared: { by: /^RoleLatchRelease$/ } },
  { name: 'delete a policy of a user', action: /^iam:DeleteUserPolicy$/ },
  {
    name: 'give an identity more policies',
    action: /^iam:(Attach(Role|Group)Policy|Put(User|Role|Group)Policy|AddUserToGroup|AddRoleToInstanceProfile)$/,
  },
  {
    name: 'write a managed policy anew',
    action: /^iam:(CreatePolicy|CreatePolicyVersion|SetDefaultPolicyVersion|DeletePolicy|DeletePolicyVersion)$/,
  },
  { name: 'lift a permissions boundary', action: /^iam:(Delete|Put)(User|Role)PermissionsBoundary$/ },
  {
    name: 'make credentials',
    action:
      /^iam:(CreateAccessKey|CreateLoginProfile|UpdateLoginProfile|CreateServiceSpecificCredential|UploadSigningCertificate|UploadSSHPublicKey)$/,
  },
  { name: 'take a second factor away', action: /^iam:(DeactivateMFADevice|DeleteVirtualMFADevice|ResyncMFADevice)$/ },
  { name: 'trust an identity provider', action: /^iam:(Create|Update|Add)\w*(OpenIDConnect|SAML)\w*$/ },
  { name: 'change a break-glass user', action: /^iam:(?!Get|List|Simulate)/, on: /^user break-glass$/ },
  { name: 'write a bucket policy', action: /^s3:(Put|Delete)BucketPolicy$/ },
  {
    name: 'hide or delete what is stored',
    action:
      /^s3:(DeleteObject\w*|PutLifecycleConfiguration|PutBucketVersioning|DeleteBucket|PutReplicationConfiguration)$/,
  },
  {
    name: 'shorten a lock',
    action: /^s3:(BypassGovernanceRetention|PutObjectRetention|PutObjectLegalHold|PutBucketObjectLockConfiguration)$/,
  },
  {
    name: 'put a token list',
    action: /^s3:PutObject$/,
    on: /^BucketEvidence\/issued/,
    spared: { by: /^RoleCommitter$/ },
  },
  {
    name: 'put a tile or a checkpoint',
    action: /^s3:PutObject$/,
    on: /^BucketEvidence\/(tile|checkpoint|log)/,
    spared: { by: /^RoleSequencer$/ },
  },
  {
    name: 'put anything else among the evidence',
    action: /^s3:(PutObject|ReplicateObject|RestoreObject)$/,
    on: /^BucketEvidence\/other$/,
  },
  {
    name: 'change a table itself',
    action:
      /^dynamodb:(DeleteTable|UpdateTable|UpdateTimeToLive|PutResourcePolicy|RestoreTable\w+|DeleteBackup|UpdateContinuousBackups|ImportTable)$/,
  },
  {
    name: 'read or write a table around its rights',
    action: /^dynamodb:(Scan|Batch\w+|PartiQL\w+|ExportTable\w+)$/,
    // They look for rows of outboxes, which no key names in advance.
    spared: { by: /^RoleSweeper(Signing|Offboarding)$/ },
  },
  {
    name: 'change a secret',
    action:
      /^secretsmanager:(PutSecretValue|UpdateSecret|UpdateSecretVersionStage|PutResourcePolicy|DeleteSecret|RotateSecret)$/,
  },
  {
    name: 'say whose keys are believed',
    action: /^lambda:Invoke\w+$/,
    on: /^FunctionRingDeployer$/,
    spared: { by: /^RoleRingProvider$/ },
  },
  {
    name: 'lock a user out',
    action: /^lambda:Invoke\w+$/,
    on: /^Function(Latch|IamDisabler)$/,
    spared: { by: /^RoleConductor$/ },
  },
  {
    name: 'disable a key by a Lambda',
    action: /^lambda:Invoke\w+$/,
    on: /^FunctionDisabler$/,
    spared: { by: /^Role(Conductor|Prover)$/ },
  },
  {
    name: 'get a token',
    action: /^lambda:Invoke\w+$/,
    on: /^FunctionIssuer$/,
    spared: { by: /^Role(Rotator|Prover)$/ },
  },
  {
    name: 'touch what is somebody else’s',
    action: /^(?!kms:(ListGrants|TagResource|DescribeKey|GetKeyPolicy)$)/,
    on: /^neighbour /,
  },
];

/** `who action on thing, if …` for each way that is open. */
export function openWays({ action, on, spared }: Escalation, allowed: readonly Allowed[]): string[] {
  return allowed
    .filter((row) => action.test(row.action) && (on?.test(row.on) ?? true))
    .filter((row) => !spared?.by.test(row.by) || !(spared.when?.test(row.when) ?? true))
    .map((row) => `${row.by} ${row.action} on ${row.on}${row.when === '' ? '' : `, if ${row.when}`}`);
}
