/** `iam-disabler` → `IamDisabler`: how CloudFormation spells our names, which have hyphens. */
export function pascal(name: string): string {
  return name
    .split('-')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
}
