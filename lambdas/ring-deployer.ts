/**
 * What a deployment asks of a ring: to be born, to change what may change, to close. Under the rotator's role, which key
 * policies name, but a function of its own: a ring's configuration says whose keys are believed, and nobody but
 * CloudFormation may invoke this one.
 */
import { entry } from '../lib/aws/entry';
import { parseRingConfig, type RingConfig, ringSettings } from '../lib/domain/rings/configuration';
import { adoptLegacyKey, checkLegacyKeysKept, shortenLegacyKey } from '../lib/domain/rings/legacy-key';
import { close, createRing, updateRing } from '../lib/domain/rings/life';
import { isClosed } from '../lib/domain/rings/rotation';
import type { RingSettings } from '../lib/domain/store/ring-head';
import type { Deps } from '../lib/ports';
import { applyPlan, noSuccessor } from '../lib/work/rings/apply-plan';
import { findRing, loadRing } from '../lib/work/rings/load-ring';
import { patiently } from '../lib/work/rings/patience';

type DeployerDeps = Deps<'ring-deployer'>;
/** Within the Lambda's three minutes: a try that begins in the last second still ends. */
const BIRTH_SECONDS = 120;
const BIRTH_PAUSE_SECONDS = 5;

/** HEAD if there is none, else only what may change; then the plan, as at each tick. An exemption past its date just counts no more. */
export async function applyRingConfig(given: unknown, deps: DeployerDeps): Promise<string> {
  const config = parseRingConfig(given);
  const cfg = ringSettings(config, deps.config.settings);
  // CloudFormation asks once, and rolls the whole stack back for a refusal that would have passed: a role that IAM does
  // not know everywhere yet, a quota that other rings use up, an API that answers in a moment.
  await patiently(() => deploy(config, cfg, deps), deps, { seconds: BIRTH_SECONDS, pause: BIRTH_PAUSE_SECONDS });
  return config.id;
}

/** Every try goes on from what the one before left. */
async function deploy(config: RingConfig, cfg: RingSettings, deps: DeployerDeps): Promise<void> {
  const known = await findRing(deps, config.id);
  const writes = known ? updateRing(known, cfg, deps.clock.now()) : createRing(config.id, cfg, deps.clock.now());
  if (writes.length > 0) await deps.tables.transact(writes);
  const closing = close(await loadRing(deps, config.id), config.closing, deps.clock.now());
  if (closing.length > 0) await deps.tables.transact(closing);
  // If we stop here, or anywhere below, a deployment tried again finds the ring and goes on from what is there.

  checkLegacyKeysKept(await loadRing(deps, config.id), config.legacyKeys, deps.clock.now());
  for (const legacy of config.legacyKeys) {
    const ring = await loadRing(deps, config.id);
    const adopted = ring.keys.some(({ kid }) => kid === legacy.jwk.kid);
    const change = (adopted ? shortenLegacyKey : adoptLegacyKey)(ring, legacy, deps.clock.now());
    if (change.length > 0) await deps.tables.transact(change);
  }
  await firstKey(config.id, deps);
  await deps.functions.invoke('publisher', { ring: config.id });
}

/** A ring is born with its ACTIVE key. What stands by, and whatever else the plan could not do, the next tick does. */
async function firstKey(ringId: string, deps: DeployerDeps): Promise<void> {
  const { errors } = await applyPlan(ringId, deps);
  const ring = await loadRing(deps, ringId);
  if (ring.activeKid === undefined && !isClosed(ring)) throw errors[0] ?? noSuccessor(ring);
}

type DeployEvent = {
  readonly RequestType: 'Create' | 'Update' | 'Delete';
  readonly PhysicalResourceId?: string;
  readonly ResourceProperties: { readonly ring: string };
};

export const handler = entry('ring-deployer', async (event: DeployEvent, deps) => {
  // Removal of a stack removes no key: evidence needs them, and tokens may still be out there.
  if (event.RequestType === 'Delete') return { PhysicalResourceId: event.PhysicalResourceId };
  return { PhysicalResourceId: await applyRingConfig(JSON.parse(event.ResourceProperties.ring), deps) };
});
