/** A scenario that a watch can be put on: it plays, and throws where it does not end as it should. */
import type { EvidenceRecord } from '../../../lib/domain/evidence/record';
import type { World } from '../../../lib/local/world';
import { type DepartureWorld, departureWorld } from '../departure-world';
import { RING, ringOf, type SigningWorld, signingWorld } from '../signing-world';
import { type Watch, WatchedWorld } from './watch';

export interface Scenario {
  readonly name: string;
  readonly play: (watch: Watch) => Promise<void>;
}

export function ringUnder(watch: Watch): Promise<SigningWorld> {
  return signingWorld({}, (options) => new WatchedWorld(options, watch));
}

export function companyUnder(watch: Watch): Promise<DepartureWorld> {
  return departureWorld((options) => new WatchedWorld(options, watch));
}

/** Types of the records that wait in the outbox of a ring, in the order they were written. */
export function recordsOfRing(world: World): string[] {
  return recordsIn(world, 'keys').map(({ type }) => type);
}

export function recordsIn(world: World, table: 'keys' | 'cut-offs' | 'cases'): EvidenceRecord[] {
  return world.tables
    .dump(table)
    .filter(({ sk }) => sk.startsWith('OUT#'))
    .map(({ record }) => record as unknown as EvidenceRecord);
}

/** `ACTIVE Enabled`, by KMS's own word; a legacy key is nobody's in KMS. */
export async function keyStates(world: World): Promise<string[]> {
  const { keys } = await ringOf(world);
  return keys.map(({ state, kmsKeyArn }) => `${state}${kmsKeyArn ? ` ${world.kms.stateOf(kmsKeyArn)}` : ''}`).sort();
}

export async function served(world: World, document: string): Promise<string> {
  const { status, body } = await world.http.get(`${world.config.publicBaseUrl}/r/${RING}/${document}`);
  if (status !== 200) throw new Error(`${document} is answered with ${status}`);
  return body;
}

/** `ACTIVE`, by kid, as the feed that is served says. */
export async function servedStates(world: World): Promise<Readonly<Record<string, string>>> {
  const [, payload = ''] = (await served(world, 'feed')).split('.');
  const { keys } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as {
    readonly keys: readonly { readonly kid: string; readonly state: string }[];
  };
  return Object.fromEntries(keys.map(({ kid, state }) => [kid, state]));
}
