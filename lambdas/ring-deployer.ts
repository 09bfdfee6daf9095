/**
 * What a deployment asks of a ring: to be born, to change what may change, to close. Under the rotator's role, which key
 * policies name, but a function of its own: a ring's configuration says whose keys are believed, and nobody but
 * CloudFormation may invoke this one.
 */
import { entry } from '../lib/aws/entry';
import { isCurfewError } from '../lib/domain/base/errors';
import { parseRingConfig, type RingConfig, ringSettings } from '../lib/domain/rings/configuration';
import { adoptLegacyKey, checkLegacyKeys, keepLegacyKeys, shortenLegacyKey } from '../lib/domain/rings/legacy-key';
import { close, createRing, updateRing } from '../lib/domain/rings/life';
import { isClosed } from '../lib/domain/rings/rotation';
import type { RingSettings } from '../lib/domain/store/ring-head';
import type { Deps } from '../lib/ports';
import { applyPlan, notBorn } from '../lib/work/rings/apply-plan';
import { findRing, loadRing } from '../lib/work/rings/load-ring';
import { patiently } from '../lib/work/rings/patience';

type DeployerDeps = Deps<'ring-deployer'>;
/** Of the Lambda's three minutes: the last try has one minute left. */
const BIRTH_SECONDS = 120;
const BIRTH_PAUSE_SECONDS = 5;

/** HEAD if there is none, else only what may change; then the plan, as at each tick. An exemption past its date just counts no more. */
export async function applyRingConfig(given: unknown, deps: DeployerDeps, stackId?: string): Promise<Applied> {
  const config = parseRingConfig(given);
  const cfg = ringSettings(config, deps.config.settings);
  // CloudFormation asks once, and rolls the whole stack back for a refusal that would have passed: a role that IAM does
  // not know everywhere yet, a quota that other rings use up, an API that answers in a moment.
  const tried: Tried = { stackId, keptLegacyKeys: false };
  await patiently(() => deploy(config, cfg, deps, tried), deps, { seconds: BIRTH_SECONDS, pause: BIRTH_PAUSE_SECONDS });
  return { ring: config.id, keptLegacyKeys: tried.keptLegacyKeys };
}

interface Applied {
  readonly ring: string;
  /** The stack is taken back, and its old configuration knew other legacy keys, or later ends: nothing about them changed. */
  readonly keptLegacyKeys: boolean;
}

/** What the tries of one deployment know of each other. */
interface Tried {
  readonly stackId: string | undefined;
  keptLegacyKeys: boolean;
}

/** Every try goes on from what the one before left. */
async function deploy(config: RingConfig, cfg: RingSettings, deps: DeployerDeps, tried: Tried): Promise<void> {
  const known = await findRing(deps, config.id);
  const writes = known ? updateRing(known, cfg, deps.clock.now()) : createRing(config.id, cfg, deps.clock.now());
  if (writes.length > 0) await deps.tables.transact(writes);
  const closing = close(await loadRing(deps, config.id), config.closing, deps.clock.now());
  if (closing.length > 0) await deps.tables.transact(closing);
  // If we stop here, or anywhere below, a deployment tried again finds the ring and goes on from what is there.

  if (!tried.keptLegacyKeys) await applyLegacyKeys(config, deps, tried);
  await firstKey(config.id, deps);
  await deps.functions.invoke('publisher', { ring: config.id });
}

/**
 * All of them, or, where one may not change so, none: the refusal comes before the first change. Only then is CloudFormation
 * asked whether it takes an update back, which must succeed. Whoever deploys an old configuration on purpose is refused.
 */
async function applyLegacyKeys({ id, legacyKeys }: RingConfig, deps: DeployerDeps, tried: Tried): Promise<void> {
  try {
    checkLegacyKeys(await loadRing(deps, id), legacyKeys, deps.clock.now());
  } catch (error) {
    const { stackId } = tried;
    if (!isCurfewError(error, 'ERR_RING_IMMUTABLE') || stackId === undefined) throw error;
    if (!(await deps.stacks.isRollingBack(stackId))) throw error;
    await deps.tables.transact(keepLegacyKeys(await loadRing(deps, id), deps.clock.now()));
    // If we stop here, CloudFormation asks again, and the record is made once more: it says the same.
    tried.keptLegacyKeys = true;
    return;
  }
  for (const legacy of legacyKeys) {
    const ring = await loadRing(deps, id);
    const adopted = ring.keys.some(({ kid }) => kid === legacy.jwk.kid);
    const change = (adopted ? shortenLegacyKey : adoptLegacyKey)(ring, legacy, deps.clock.now());
    if (change.length > 0) await deps.tables.transact(change);
  }
}

/** A ring counts as born when it has an ACTIVE key. The next tick finishes its STANDBYs. */
async function firstKey(ringId: string, deps: DeployerDeps): Promise<void> {
  const { errors } = await applyPlan(ringId, deps);
  const ring = await loadRing(deps, ringId);
  if (ring.activeKid === undefined && !isClosed(ring)) throw errors[0] ?? (await notBorn(ring, deps));
}

type DeployEvent = {
  readonly RequestType: 'Create' | 'Update' | 'Delete';
  readonly PhysicalResourceId?: string;
  /** The ARN of the stack, which CloudFormation sends with every request. */
  readonly StackId?: string;
  readonly ResourceProperties: { readonly ring: string };
};

export async function deployRing(event: DeployEvent, deps: DeployerDeps) {
  // Removal of a stack removes no key: evidence needs them, and tokens may still be out there.
  if (event.RequestType === 'Delete') return { PhysicalResourceId: event.PhysicalResourceId };
  const { ring, keptLegacyKeys } = await applyRingConfig(
    JSON.parse(event.ResourceProperties.ring),
    deps,
    event.StackId,
  );
  const Data = { LegacyKeys: keptLegacyKeys ? 'kept as they are: the stack is rolled back' : 'as configured' };
  return { PhysicalResourceId: ring, Data };
}

export const handler = entry('ring-deployer', deployRing);
