/**
 * The steps of `domain/rings/ending.ts` that ask a Lambda, each for one ring: a departure and `curfew ring taint` ask in
 * the same way. Every step may be asked again where an answer was lost.
 */
import { CurfewError } from '../../domain/base/errors';
import type { Messages } from '../../domain/deployment/messages';
import type { TaintTarget } from '../../domain/rings/taint';
import type { Functions } from '../../ports';

type Asking<R extends `invoke:${string}`> = { readonly functions: Functions<R> };

/** The STANDBY that was enabled and did sign. */
export async function prepareSuccessor(ring: string, { functions }: Asking<'invoke:rotator'>): Promise<string> {
  const { kid } = await functions.invoke('rotator', { op: 'prepare', ring });
  if (kid !== undefined) return kid;
  throw new CurfewError('ERR_KEY_STATE', `ring ${ring} has no STANDBY to take over`, { got: ring });
}

/** What is to be tainted of one ring, and which key takes over. */
interface Tainting {
  readonly ring: string;
  readonly targets: readonly TaintTarget[];
  readonly successor?: string;
  readonly caseId?: string;
}

export async function taintKeys(
  tainting: Tainting,
  { functions }: Asking<'invoke:taint' | 'invoke:publisher'>,
): Promise<Messages['taint']['response']> {
  const answer = await functions.invoke('taint', { op: 'taint', ...tainting });
  // If we stop before this, verifiers learn of it at the next heartbeat; a second request publishes at once.
  await functions.invoke('publisher', { ring: tainting.ring });
  return answer;
}

/** KMS's own word for each key of the ring that must not sign. The caller has waited for the drain. */
export async function disableOldKeys(
  ring: string,
  prepared: string | undefined,
  { functions }: Asking<'invoke:rotator'>,
): Promise<readonly { readonly kid: string; readonly state: string }[]> {
  const { disabled = [] } = await functions.invoke('rotator', { op: 'disable-old', ring, prepared });
  return disabled;
}

export async function commitTokens({ functions }: Asking<'invoke:committer'>): Promise<void> {
  await functions.invoke('committer', {});
}

/** DENIES what its last pass found nothing under; answers what is left. */
export async function denyKeys(
  ring: string,
  kids: readonly string[],
  { functions }: Asking<'invoke:taint' | 'invoke:publisher'>,
): Promise<Messages['taint']['response']> {
  const answer = await functions.invoke('taint', { op: 'deny', ring, kids });
  // If we stop here, a second request gets DENIED once more, and publishes it. Verifiers are told before a case says
  // so: an item is not done while a feed still lets the key pass.
  await functions.invoke('publisher', { ring });
  return answer;
}
