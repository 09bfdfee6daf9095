/**
 * What must hold of a ring in a world at any instant, and what must hold once a tick has come to its end. Judged from
 * outside: KMS asked as the issuer, documents as served, tables as stored.
 */

import { isCurfewError } from '../../lib/domain/base/errors';
import { isInJwks } from '../../lib/domain/feed/publication';
import { type KeyRecord, type Ring, STANDBYS } from '../../lib/domain/rings/ring';
import { nextRotationAt, PREPARED_AHEAD, PREPARED_FOR } from '../../lib/domain/rings/rotation';
import { roleArn, type World } from '../../lib/local/world';
import { RING, ringOf } from '../scenarios/signing-world';

const TICK_LASTS = 30;

/** Every key that KMS holds of this account but the feed's and the checkpoint's, whoever knows of it. */
export function kmsArns({ kms, config }: World): string[] {
  const arns: string[] = [];
  for (let n = 1; ; n++) {
    const arn = `arn:aws:kms:us-east-1:${config.accountId}:key/${String(n).padStart(4, '0')}`;
    try {
      kms.stateOf(arn);
    } catch (error) {
      if (isCurfewError(error, 'ERR_NOT_FOUND'))
        return arns.filter((known) => known !== config.feedKeyArn && known !== config.checkpointKeyArn);
      throw error;
    }
    arns.push(arn);
  }
}

/** KMS's own answer under the issuer's right. */
export async function canSign(world: World, arn: string): Promise<boolean> {
  return world.weather
    .observe(() => world.kms.signerFor(roleArn('issuer')).sign(arn, 'ES256', Buffer.from('x')))
    .then(
      () => true,
      () => false,
    );
}

/** Each violated sentence; none where all is well. */
export async function alwaysViolated(world: World): Promise<string[]> {
  const ring = await ringOf(world);
  const now = world.clock.now();
  const violated: string[] = [];
  const must = (holds: boolean, sentence: string) => holds || violated.push(sentence);

  const active = ring.keys.filter(({ state }) => state === 'ACTIVE');
  must(
    active.length === (ring.activations === 0 ? 0 : 1) && active[0]?.kid === ring.activeKid,
    'exactly one key issues',
  );
  for (const key of ring.keys) {
    const signs = key.kmsKeyArn !== undefined && (await canSign(world, key.kmsKeyArn));
    must(!signs || now <= key.signUntil, 'past signUntil nothing signs');
    must(!signs || key.kmsState !== 'Disabled', 'a key that the ring calls disabled does not sign');
    must(
      !signs || key.state !== 'STANDBY' || key.preparedAt !== undefined,
      'a STANDBY that nobody prepared does not sign',
    );
  }
  const served = await world.http.get(`${world.config.publicBaseUrl}/r/${RING}/.well-known/jwks.json`);
  const kids = (JSON.parse(served.body) as { keys: { kid: string }[] }).keys.map(({ kid }) => kid);
  for (const key of ring.keys) {
    must(now <= key.verifyUntil || !kids.includes(key.kid), 'past verifyUntil nothing is in the JWKS');
    must(key.taint === undefined || ['SUSPECT', 'DENIED'].includes(key.state), 'a tainted key stays SUSPECT or DENIED');
    must(key.state !== 'DENIED' || !kids.includes(key.kid), 'a DENIED kid is not in the JWKS');
    must(kids.includes(key.kid) === isInJwks(key, now), 'the JWKS is what the clock and the records say');
  }
  const gates = world.tables.dump('keys').filter(({ pk }) => pk.startsWith('GATE#'));
  for (const { activeKid, halted, closingAt } of gates)
    must(
      activeKid === ring.activeKid && halted === ring.halted && closingAt === ring.closingAt,
      'every gate says what HEAD says',
    );
  const fences = new Set(
    world.tables.dump('keys').flatMap(({ sk }) => (sk.startsWith('OUT#') ? [sk.slice(4, 10)] : [])),
  );
  must(fences.size === ring.fence, 'every transition left a record');
  return violated;
}

/** What a tick that came to its end leaves. */
export async function settledViolated(world: World): Promise<string[]> {
  const ring = await ringOf(world);
  const now = world.clock.now();
  const violated: string[] = [];
  const must = (holds: boolean, sentence: string) => holds || violated.push(sentence);

  must(ring.keys.filter((key) => isStanding(key, now)).length === STANDBYS, 'two STANDBYs stand by');
  must(
    ring.slots.every(({ state }) => state === 'ADOPTED'),
    'no slot is half born',
  );
  const enabled = kmsArns(world).filter((arn) => world.kms.stateOf(arn) === 'Enabled');
  for (const arn of enabled) {
    const key = ring.keys.find(({ kmsKeyArn }) => kmsKeyArn === arn);
    must(key !== undefined, 'no key is enabled that the ring does not know');
    if (key) must(mayBeEnabled(ring, key, now), `KMS is not enabled for a ${key.state} key for long`);
  }
  const adopted = ring.slots.map(({ kmsKeyArn }) => kmsKeyArn);
  must(new Set(adopted).size === adopted.length, 'no KMS key is in two slots');
  return violated;
}

function isStanding({ state, signUntil }: KeyRecord, now: number): boolean {
  return state === 'STANDBY' && now <= signUntil;
}

function mayBeEnabled(ring: Ring, key: KeyRecord, now: number): boolean {
  if (key.kid === ring.activeKid) return true;
  if (key.state === 'STANDBY') {
    const due = nextRotationAt(ring);
    return now <= (key.preparedAt ?? 0) + PREPARED_FOR || (due !== undefined && now >= due - PREPARED_AHEAD);
  }
  // A tick that began before the drain was over may read keys back for a while before it ends.
  return now < (key.deactivatedAt ?? 0) + ring.cfg.drainSeconds + TICK_LASTS;
}
