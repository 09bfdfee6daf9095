/**
 * The two KMS signing keys that stand outside a ring, each with a purpose that says how it is renewed:
 * `feed` (verifiers pin a set: the next key is pinned before it signs) and `checkpoint` (an epoch record in the tree
 * names the next key). Every other asymmetric signing key in the app is refused (rules/key-outside-ring.ts).
 */
import {
  AccountRootPrincipal,
  AnyPrincipal,
  Effect,
  type IRole,
  PolicyDocument,
  PolicyStatement,
} from 'aws-cdk-lib/aws-iam';
import { type CfnKey, Key, KeySpec, KeyUsage } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { pascal } from '../parts/names';
import { pinLogicalId, type Stage, statefulPolicy } from '../parts/stage';
import { admit, CurfewRules } from './curfew-rules';

const KEY_PURPOSES = {
  feed: { keySpec: KeySpec.ECC_NIST_P256, says: 'signs the feed' },
  checkpoint: { keySpec: KeySpec.ECC_NIST_EDWARDS25519, says: 'signs checkpoints of the evidence tree' },
} as const;
type KeyPurpose = keyof typeof KEY_PURPOSES;

const ADMINISTRATION = [
  'kms:Describe*',
  'kms:Get*',
  'kms:List*',
  'kms:PutKeyPolicy',
  'kms:EnableKey',
  'kms:DisableKey',
  'kms:ScheduleKeyDeletion',
  'kms:CancelKeyDeletion',
  'kms:TagResource',
  'kms:UntagResource',
  'kms:UpdateKeyDescription',
];

interface PurposeKeyProps {
  readonly purpose: KeyPurpose;
  readonly stage: Stage;
}

export class PurposeKey extends Key {
  constructor(scope: Construct, id: string, { purpose, stage }: PurposeKeyProps) {
    const { keySpec, says } = KEY_PURPOSES[purpose];
    super(scope, id, {
      description: `curfew: ${says}`,
      keySpec,
      keyUsage: KeyUsage.SIGN_VERIFY,
      policy: new PolicyDocument({ statements: administrationWithoutUse() }),
      removalPolicy: statefulPolicy(stage),
    });
    // An app in which such a key stands is judged.
    CurfewRules.of(this);
    admit(this.node.defaultChild as CfnKey);
    pinLogicalId(this, `Key${pascal(purpose)}`);
  }

  /** The right to sign stands here alone; CDK's own `grantSign` would write it into an identity policy as well. */
  allowSigner(role: IRole): void {
    this.addToResourcePolicy(
      new PolicyStatement({
        sid: 'OneSigner',
        principals: [role.grantPrincipal],
        actions: ['kms:Sign', 'kms:GetPublicKey', 'kms:DescribeKey'],
        resources: ['*'],
      }),
    );
  }
}

/** Root administers, so that the key is never orphaned, and neither signs nor lets anybody else sign by a grant. */
function administrationWithoutUse(): PolicyStatement[] {
  return [
    new PolicyStatement({
      sid: 'RootAdministers',
      principals: [new AccountRootPrincipal()],
      actions: ADMINISTRATION,
      resources: ['*'],
    }),
    new PolicyStatement({
      sid: 'NoGrantsNoReplicas',
      effect: Effect.DENY,
      principals: [new AnyPrincipal()],
      actions: ['kms:CreateGrant', 'kms:ReplicateKey'],
      resources: ['*'],
    }),
  ];
}
