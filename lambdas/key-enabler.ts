/**
 * Makes an access key, or a personal KMS key, usable again, for a departure that two approvers gave back. A key whose policy does
 * not name our role is left to people, and that is said before anybody approves.
 */
import { entry } from '../lib/aws/entry';
import { isCurfewError } from '../lib/domain/base/errors';
import { namesEnabler } from '../lib/domain/cases/personal-key';
import type { Messages } from '../lib/domain/deployment/messages';
import type { Shut } from '../lib/domain/store/worker';
import type { Deps } from '../lib/ports';
import { requireApproved, requireOpening } from '../lib/work/cases/approved';

export async function enableKey(
  request: Messages['key-enabler']['request'],
  deps: Deps<'key-enabler'>,
): Promise<Messages['key-enabler']['response']> {
  if (request.op === 'look') return { mayEnable: await mayEnable(request.kmsKeyArn, deps) };
  const giveBack = await requireApproved(request.caseId, deps);
  await requireOpening(giveBack, (thing) => isMeant(thing, request), deps);
  if (request.op === 'activate-access-key')
    await deps.iamEnabler.activateAccessKey(request.userName, request.accessKeyId);
  else await deps.keyEnabler.enable(request.kmsKeyArn);
  return {};
}

/** A policy that does not let us read it may name us all the same: who cannot be sure leaves the key to people. */
async function mayEnable(kmsKeyArn: string, { keyEnabler, config }: Deps<'key-enabler'>): Promise<boolean> {
  try {
    return namesEnabler(await keyEnabler.policy(kmsKeyArn), kmsKeyArn, config.instance);
  } catch (error) {
    if (isCurfewError(error, 'ERR_ACCESS_DENIED')) return false;
    throw error;
  }
}

type Opening = Exclude<Messages['key-enabler']['request'], { readonly op: 'look' }>;

function isMeant({ kind, target }: Shut, request: Opening): boolean {
  return request.op === 'activate-access-key'
    ? kind === 'access-key' && target.userName === request.userName && target.accessKeyId === request.accessKeyId
    : kind === 'personal-key' && target.kmsKeyArn === request.kmsKeyArn;
}

export const handler = entry('key-enabler', enableKey);
