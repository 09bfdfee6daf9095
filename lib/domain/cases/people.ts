/** People: what the references in an import stand for. Shapes and keys stand in `store/people.ts`. */
/** `ring:{ring}` or `kid:{ring}/{kid}`. */
export function assetOf(asset: string): { readonly ring: string; readonly kid?: string } {
  const [ring = '', kid] = asset.slice(asset.indexOf(':') + 1).split('/');
  return kid === undefined ? { ring } : { ring, kid };
}

/** The account in an IAM ARN. */
export function accountOf(arn: string): string | undefined {
  return arn.split(':')[4];
}

/** IAM's own name of the user: the last part of the ARN, after any path. */
export function userNameOf(arn: string): string {
  return arn.slice(arn.lastIndexOf('/') + 1);
}

/** What a reader of an error can put in its place. */
export const IMPORT_SHAPE =
  'an import is {"workers":[{"workerId":"…","principals":[…],"exposures":[…]}]}, of somebody who has nothing with empty lists; docs/hr.md shows one';
