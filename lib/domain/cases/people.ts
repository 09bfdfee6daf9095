/**
 * People: what each worker can authenticate with and has had custody of, as items.
 *
 *     WORKER#{id} | PRIN#{type}#{arn or ring/sub}
 *     WORKER#{id} | EXPO#{asset}#{class}            how since
 *
 * Who can write this table can have other people's access ended; who deletes from it hides a leaver's. Matching is by
 * the immutable worker id alone, never by a name or an address.
 */
import type { Row } from '../store/table';
import type { ExposureClass } from './plan';

export type Principal =
  | { readonly type: 'iam-user' | 'kms-key'; readonly arn: string }
  | { readonly type: 'subject'; readonly ring: string; readonly sub: string };

export type Exposure = {
  readonly asset: string;
  readonly class: ExposureClass;
  readonly how: string;
  readonly since: number;
};

export const peoplePartition = (workerId: string) => `WORKER#${workerId}`;
export const PRINCIPAL_PREFIX = 'PRIN#';
export const EXPOSURE_PREFIX = 'EXPO#';

export function principalRow(workerId: string, principal: Principal): Row {
  const ref = principal.type === 'subject' ? `${principal.ring}/${principal.sub}` : principal.arn;
  return { pk: peoplePartition(workerId), sk: `${PRINCIPAL_PREFIX}${principal.type}#${ref}`, v: 1, ...principal };
}

export function exposureRow(workerId: string, exposure: Exposure): Row {
  return {
    pk: peoplePartition(workerId),
    sk: `${EXPOSURE_PREFIX}${exposure.asset}#${exposure.class}`,
    v: 1,
    ...exposure,
  };
}

export function parsePrincipal({ pk: _pk, sk: _sk, v: _v, ...principal }: Row): Principal {
  return principal as unknown as Principal;
}

export function parseExposure({ pk: _pk, sk: _sk, v: _v, ...exposure }: Row): Exposure {
  return exposure as unknown as Exposure;
}

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
