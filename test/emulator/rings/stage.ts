/** What the suites on rings share: the deployed instance, rings of the test's own, and what must be undone at the end. */
import { setTimeout as pause } from 'node:timers/promises';
import { CreateAccessKeyCommand, DeleteAccessKeyCommand, IAMClient } from '@aws-sdk/client-iam';
import { Instance } from '../../../bin/edge/instance';
import type { Credentials } from '../../../demo/cast';
import { codeOf } from '../../../demo/checks';
import { invokePatiently } from '../../../demo/patience';
import type { SigningAlgorithm } from '../../../lib/domain/jose/algorithm';
import type { Ring } from '../../../lib/domain/rings/ring';
import { idsFor } from '../../support/seeded';
import { personWith } from '../aws';
import { removeSchedules, scheduleLike, switchSchedules } from './schedules';
import { enable, forge, letSign } from './tampering';
import { TestRing } from './test-ring';
import { ourVerifier } from './verifiers';

export const DEPLOYED_RING = 'customer-api';
/** The schedule's rate, and the emulator's own round of 10 s. */
export const TICK_WITHIN_SECONDS = 75;

export const now = () => Math.floor(Date.now() / 1000);
export const print = (line: string) => process.stdout.write(`${line}\n`);
export const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(1)} s`;
export const codesOf = (all: readonly Promise<unknown>[]) =>
  Promise.all(all.map((one) => one.then(() => 'ok', codeOf)));
export const isReady = ({ keys, cfg }: Ring) =>
  keys.some(
    ({ state, confirmedAt = now() }) =>
      state === 'STANDBY' && confirmedAt <= now() - cfg.propagationSeconds - cfg.cacheSeconds,
  );

/** Asks until it is so; a wait that is too long fails with what was last seen. */
export async function until<T>(
  what: string,
  withinSeconds: number,
  ask: () => Promise<T>,
  isSo: (seen: T) => boolean,
): Promise<T> {
  const deadline = Date.now() + withinSeconds * 1000;
  for (;;) {
    const seen = await ask();
    if (isSo(seen)) return seen;
    if (Date.now() > deadline)
      throw new Error(`not within ${withinSeconds} s: ${what}; last seen: ${JSON.stringify(seen)}`);
    await pause(250);
  }
}

/** Begun now, looked at by a later test: what only waits, waits beside the others. */
export function inBackground<T>(work: Promise<T>): Promise<T> {
  work.catch(() => undefined);
  return work;
}

export interface Stage {
  readonly instance: Instance;
  /** The same instance under the rights of a responder. */
  readonly asResponder: Instance;
  readonly rings: Readonly<Record<SigningAlgorithm, TestRing>>;
  readonly tampered: Awaited<ReturnType<typeof tamper>>;
  readonly stopped: ReturnType<typeof stopScheduler>;
  readonly undo: (() => Promise<unknown>)[];
}

/** Five rings are born at once; two get schedules, the one of them has its STANDBYs tampered with, a third is left alone. */
export async function setStage(undo: Stage['undo']): Promise<Stage> {
  const instance = await Instance.find('demo');
  const rings = await deployRings(instance, await backendOf(undo));
  await giveSchedules(rings.ES256, undo);
  const tampered = await tamper(rings.PS256);
  await giveSchedules(rings.PS256, undo);
  const asResponder = await responder(instance);
  return { instance, asResponder, rings, tampered, stopped: inBackground(stopScheduler(rings.EdDSA, undo)), undo };
}

async function responder(instance: Instance): Promise<Instance> {
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } = await personWith(
    'responder',
    instance.output('PolicyResponderArn'),
  );
  return Instance.find(instance.name, { credentials: { accessKeyId, secretAccessKey } });
}

/** A second access key of the shop's back end, whose first is known to the demo alone. */
async function backendOf(undo: Stage['undo']): Promise<Credentials> {
  const iam = new IAMClient({});
  const UserName = 'shop-backend';
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
  const { AccessKeyId = '', SecretAccessKey = '' } = AccessKey ?? {};
  undo.push(() => iam.send(new DeleteAccessKeyCommand({ UserName, AccessKeyId })));
  return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey };
}

async function deployRings(instance: Instance, backend: Credentials): Promise<Stage['rings']> {
  const run = idsFor('rings')().slice(0, 4);
  const algorithms: readonly SigningAlgorithm[] = ['ES256', 'ES384', 'RS256', 'PS256', 'EdDSA'];
  const born = await Promise.all(
    algorithms.map(async (algorithm) => {
      const id = `test-${run}-${algorithm.toLowerCase()}`;
      return [algorithm, await TestRing.born(instance, backend, { id, algorithm })] as const;
    }),
  );
  return Object.fromEntries(born) as Stage['rings'];
}

async function giveSchedules(ring: TestRing, undo: Stage['undo']): Promise<string[]> {
  const names = await scheduleLike(DEPLOYED_RING, ring.id);
  undo.push(() => removeSchedules(names));
  expect(names).toHaveLength(2);
  return names;
}

/** From here on nobody asks what this ring needs, nor publishes; a person rotates it once more, and leaves. */
async function stopScheduler(ring: TestRing, undo: Stage['undo']) {
  const names = await giveSchedules(ring, undo);
  await switchSchedules(names, 'DISABLED');
  const { activeKid: kid = '' } = await until('a STANDBY may sign', 20, () => ring.load(), isReady);
  const rotate = { op: 'rotate', ring: ring.id, from: kid, reason: 'rotation test' } as const;
  await invokePatiently('the rotator', () => ring.instance.functions.invoke('rotator', rotate));
  expect(await ring.jwksKids()).toContain(kid);
  return { names, kid };
}

/** One STANDBY is enabled, the other enabled and given away; with each a token is forged and shown. */
async function tamper(ring: TestRing) {
  const [enabled, changed] = (await ring.load()).keys.filter(({ state }) => state === 'STANDBY');
  if (!enabled || !changed) throw new Error(`ring ${ring.id} has no two STANDBYs`);
  await Promise.all([enable(enabled), enable(changed), letSign(changed)]);
  const forged = await Promise.all([enabled, changed].map((key) => forge(ring, key, now())));
  const ours = ourVerifier(ring.verifierOptions);
  return { enabled, changed, forged, refused: await codesOf(forged.map((token) => ours.verify(token))) };
}
