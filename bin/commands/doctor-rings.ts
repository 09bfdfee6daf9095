/** What `curfew doctor` looks at of each ring: its record, its keys in KMS, its waves, and its documents as verifiers see them. */

import { CurfewError, isCurfewError } from '../../lib/domain/base/errors';
import { discoveryUrlOf } from '../../lib/domain/feed/publication';
import { jwksUriIn, type Served } from '../../lib/domain/health/discovery-diagnosis';
import type { Seen } from '../../lib/domain/health/finding';
import type { KmsKeyFacts } from '../../lib/domain/health/kms-diagnosis';
import type { PublicationFacts } from '../../lib/domain/health/publication-diagnosis';
import type { RingFacts } from '../../lib/domain/health/ring-diagnosis';
import { ALGORITHMS } from '../../lib/domain/jose/algorithm';
import type { PublicJwk } from '../../lib/domain/jose/jwk';
import type { KeyRecord, Ring } from '../../lib/domain/rings/ring';
import { isClosed } from '../../lib/domain/rings/rotation';
import { isOpen } from '../../lib/domain/rings/transitions';
import { SHARDS } from '../../lib/domain/store/ledger';
import { SHARD_PASS } from '../../lib/domain/store/wave';
import { passesTowards, progressOf } from '../../lib/domain/tokens/wave';
import { FeedSource } from '../../lib/verifier/feed-source';
import { listRings, loadRing } from '../../lib/work/rings/load-ring';
import type { CommandPorts } from './command';
import { type Looks, see } from './looks';

/** A ring may rotate while we look; what was seen of two of its states says nothing. */
const LOOKS_MAX = 3;
/** Between two looks at a key. */
const STALE_SECONDS = 2;

export function lookAtRings(deps: CommandPorts<'doctor'>, looks: Looks): Promise<Seen<readonly RingFacts[]>> {
  return see(async () => {
    const feedKey = await looks.feedKey();
    const entries = await listRings(deps);
    return Promise.all(entries.map(({ id }) => lookAtRing(id, feedKey, deps, looks)));
  });
}

async function lookAtRing(
  id: string,
  feedKey: Seen<PublicJwk>,
  deps: CommandPorts<'doctor'>,
  looks: Looks,
): Promise<RingFacts> {
  for (let n = 1; ; n++) {
    const ring = await loadRing(deps, id);
    const [published, kms, waves, watchedAt] = await Promise.all([
      lookAtDocuments(ring, feedKey, deps, looks),
      lookAtKeys(ring, deps, looks),
      lookAtWaves(ring, deps),
      looks.watchedAt(id, deps.clock.now()),
    ]);
    const facts = { ...published, kms, waves, watchedAt, roles: looks.roles };
    if (n === LOOKS_MAX || (await loadRing(deps, id)).fence === ring.fence) return facts;
  }
}

async function lookAtKeys(
  ring: Ring,
  { clock }: Pick<CommandPorts<'doctor'>, 'clock'>,
  looks: Looks,
): Promise<RingFacts['kms']> {
  const look = async ({ kid, kmsKeyArn, kmsState }: KeyRecord) => {
    if (kmsKeyArn === undefined) return [];
    let seen = await looks.kmsKey(kmsKeyArn);
    // For seconds after a change a host of KMS may answer as before it: one answer that is not as recorded proves nothing.
    for (let n = 1; n < LOOKS_MAX && isNews(seen, kmsState); n++) {
      await clock.sleep(STALE_SECONDS);
      seen = await looks.kmsKey(kmsKeyArn);
    }
    return [[kid, seen] as const];
  };
  return Object.fromEntries((await Promise.all(ring.keys.map(look))).flat());
}

function isNews({ state }: KmsKeyFacts, recorded: KeyRecord['kmsState']): boolean {
  return 'seen' in state && (state.seen === 'Enabled') !== (recorded === 'Enabled');
}

async function lookAtWaves(ring: Ring, { tables }: CommandPorts<'doctor'>): Promise<RingFacts['waves']> {
  const found = ring.waves.filter(isOpen).map(async ({ fromKid, toKid }) => {
    const passes = await see(() => tables.query(SHARD_PASS.in(ring.id, fromKid)));
    const progress =
      'unseen' in passes ? passes : { seen: { shards: SHARDS, ...progressOf(passesTowards(toKid, passes.seen)) } };
    return [fromKid, progress] as const;
  });
  return Object.fromEntries(await Promise.all(found));
}

/** One for each kind of key that a ring needs. Where none was born, one of the usual kind: it may be why. */
export async function lookAtBirths(rings: Seen<readonly RingFacts[]>, looks: Looks) {
  if ('unseen' in rings) return {};
  const open = rings.seen.map(({ ring }) => ring).filter((ring) => !isClosed(ring));
  const needed = open.map(({ cfg }) => ALGORITHMS[cfg.alg].keySpec);
  const specs = [...new Set(rings.seen.length > 0 ? needed : [ALGORITHMS.ES256.keySpec])].sort();
  return Object.fromEntries(
    await Promise.all(specs.map(async (keySpec) => [keySpec, await looks.birth(keySpec)] as const)),
  );
}

/** As a verifier sees them: over the public base URL. */
async function lookAtDocuments(
  ring: Ring,
  feedKey: Seen<PublicJwk>,
  { http, clock }: CommandPorts<'doctor'>,
  { publicBaseUrl }: Looks,
): Promise<PublicationFacts> {
  const served = (url: string) => lookAtUrl(url, http);
  const ours = `${publicBaseUrl}/r/${ring.id}`;
  const jwksUri = `${ours}/.well-known/jwks.json`;
  const [jwks, discovery, document, feed] = await Promise.all([
    served(jwksUri),
    served(`${ours}/.well-known/openid-configuration`),
    served(discoveryUrlOf(ring.cfg.iss)),
    served(`${ours}/feed`),
  ]);
  const elsewhere = jwksUriIn(document);
  const isOurs = elsewhere === undefined || elsewhere === jwksUri;
  const discovered = { document, ...(!isOurs && { jwks: await served(elsewhere) }) };
  const at = clock.now();
  return {
    ring,
    at,
    publicBaseUrl,
    jwks,
    discovery,
    discovered,
    feed: 'unseen' in feedKey ? feedKey : { seen: await readFeed(feed, ring, feedKey.seen, at) },
  };
}

async function lookAtUrl(url: string, http: CommandPorts<'doctor'>['http']): Promise<Served> {
  try {
    return await http.get(url);
  } catch (error) {
    return { unreachable: isCurfewError(error) ? error.message : String(error) };
  }
}

/** By the verifier's own reader. */
async function readFeed(served: Served, { id, cfg }: Ring, feedKey: PublicJwk, at: number) {
  const source = new FeedSource({
    feedUrl: '',
    ring: id,
    feedKeys: [feedKey],
    pollSeconds: 1,
    skewSeconds: cfg.skewSeconds,
    now: () => at,
    fetchText: async () => {
      if ('unreachable' in served) throw new CurfewError('ERR_UNAVAILABLE', served.unreachable);
      if (served.status !== 200) throw new CurfewError('ERR_UNAVAILABLE', `the feed URL answers ${served.status}`);
      return served.body;
    },
  });
  try {
    return (await source.current()).feed;
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    const isAbsent = 'status' in served && served.status === 404;
    return { refused: cause instanceof Error ? cause.message : String(error), isAbsent };
  }
}
