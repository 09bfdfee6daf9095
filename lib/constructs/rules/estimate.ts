/**
 * How long a text of a template becomes when CloudFormation fills it in. It cannot be known before, so each reference
 * counts for as much as the name or the ARN that it stands for could be: rather a refusal too early than a roll-back.
 */

/** `arn:aws:secretsmanager:ap-southeast-1:111122223333:secret:` and the six characters at the end are 66. */
const ARN_PREFIX = 70;
/** CloudFormation puts a hyphen and up to thirteen characters behind the stack and the logical id. */
const NAME_SUFFIX = 16;
/** Of these a reference is the ARN itself; of the others, a name. */
const REF_IS_ARN = ['AWS::SecretsManager::Secret', 'AWS::StepFunctions::StateMachine', 'AWS::IAM::ManagedPolicy'];

interface Within {
  readonly stackName: string;
  readonly region: string;
  typeOf(logicalId: string): string | undefined;
}

type Intrinsics = Readonly<Record<string, unknown>>;

/** The text with `x` in the place of what is not known yet. */
export function filledIn(value: unknown, within: Within): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return String(value);
  const intrinsic = value as Intrinsics;
  const { 'Fn::Join': join, Ref: ref, 'Fn::GetAtt': attribute, 'Fn::ImportValue': imported } = intrinsic;
  if (Array.isArray(join)) {
    const [between, parts] = join as [string, unknown[]];
    return parts.map((part) => filledIn(part, within)).join(between);
  }
  if (typeof ref === 'string') return 'x'.repeat(lengthOfRef(ref, within));
  if (Array.isArray(attribute)) return 'x'.repeat(ARN_PREFIX + nameLength(String(attribute[0]), within));
  // `stack:ExportsOutputRefTableKeys` and its hash: as long as what it stands for, but for an ARN's beginning.
  if (imported !== undefined) return 'x'.repeat(ARN_PREFIX + filledIn(imported, within).length);
  return 'x'.repeat(JSON.stringify(value).length);
}

function lengthOfRef(ref: string, within: Within): number {
  if (ref === 'AWS::Region') return within.region.length;
  if (ref === 'AWS::AccountId') return 12;
  if (ref.startsWith('AWS::')) return 20;
  const isArn = REF_IS_ARN.includes(within.typeOf(ref) ?? '');
  return nameLength(ref, within) + (isArn ? ARN_PREFIX : 0);
}

function nameLength(logicalId: string, { stackName }: Within): number {
  return stackName.length + logicalId.length + NAME_SUFFIX;
}
