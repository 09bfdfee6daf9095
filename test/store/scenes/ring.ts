/** The life of a ring, with every signing and evidence Lambda in it: born, issuing, rotated, tainted, re-signed and denied. */
import { commitIssued } from '../../../lambdas/committer';
import { cutOff } from '../../../lambdas/cutter';
import { exchange } from '../../../lambdas/exchange';
import { haltOrResume } from '../../../lambdas/halt';
import { publishFeed } from '../../../lambdas/publisher';
import { resignBatch } from '../../../lambdas/resigner';
import { applyRingConfig } from '../../../lambdas/ring-deployer';
import { rotate } from '../../../lambdas/rotator';
import { sequence } from '../../../lambdas/sequencer';
import { taintOrDeny } from '../../../lambdas/taint';
import { wasIssued } from '../../../lambdas/was-issued';
import { seeKeyTouched, watchRings } from '../../../lambdas/watch';
import { wellKnown } from '../../../lambdas/well-known';
import { parseCompact } from '../../../lib/domain/jose/compact';
import type { TaintTarget } from '../../../lib/domain/rings/taint';
import type { WaveBatch } from '../../../lib/domain/tokens/wave';
import { relay } from '../../../lib/work/evidence/relay';
import {
  AUDIENCE,
  calmly,
  ISSUER,
  issueTo,
  legacyClaims,
  RING,
  record,
  ringOf,
  type SigningWorld,
  signingWorld,
  signLegacy,
} from '../../scenarios/signing-world';
import { outboxRows, Scene, sweepAll } from '../scene';

type RingScene = Scene<SigningWorld>;
const CLOSING = 'partner-api';
const DAY = 86_400;
const quiet = () => undefined;

export async function ringScene(): Promise<RingScene> {
  const scene = new Scene(await signingWorld({}, calmly));
  await deployed(scene);
  const legacy = await issued(scene);
  await rotated(scene);
  const batches = await tainted(scene);
  await resigned(scene, batches);
  await denied(scene, legacy);
  await logged(scene);
  await lookedAt(scene);
  await grownOld(scene);
  return scene;
}

/** What a deployment says of a ring. */
function configOf({ clock, legacy }: SigningWorld, id: string, closing = false) {
  return {
    id,
    issuer: ISSUER.replace(RING, id),
    audience: AUDIENCE,
    algorithm: 'ES256',
    periodSeconds: 30 * DAY,
    maxTtlSeconds: 3600,
    legacyKeys: id === RING ? [{ jwk: legacy.jwk, verifyUntil: clock.now() + 10 * DAY, approver: 'CHG-7' }] : [],
    closing,
  };
}

async function deployed({ world, act }: RingScene): Promise<void> {
  await act('births a ring', () => applyRingConfig(configOf(world, CLOSING), world.deps('ring-deployer')));
  await act('shortens a legacy key', () => applyRingConfig(configOf(world, RING), world.deps('ring-deployer')));
}

/** Two tokens of the legacy key: one will be re-signed, the subject of the other is cut off before it is. */
async function issued({ world, act }: RingScene): Promise<readonly string[]> {
  const legacy = ['member-1', 'member-9'].map((sub) => signLegacy(world, legacyClaims(world, sub, `of ${sub}`)));
  await act('records tokens', () => record(world, legacy));
  await act('records them again', () => record(world, legacy));
  const token = await act('issues', () => issueTo(world, 'member-2'));
  const { header, tokenSha256 } = parseCompact(token);
  const [{ sk: jtiH = '' } = {}] = world.tables.dump('ledger').filter((row) => row.tokenSha256 === tokenSha256);
  await act('says that it was', () => wasIssued(header.kid, jtiH, tokenSha256, world.deps('was-issued')));

  const subjects = [{ type: 'sub', value: 'mallory' }] as const;
  const request = { ring: RING, subjects, caseId: 'c-1', notBefore: world.clock.now() };
  await act('cuts a subject off', () => cutOff(request, world.deps('cutter')));
  await act('issues nothing to them', () => issueTo(world, 'mallory')).catch(quiet);
  return legacy;
}

async function rotated({ world, act }: RingScene): Promise<void> {
  const deps = () => world.deps('rotator');
  const from = (await ringOf(world)).activeKid ?? '';
  await act('rotates', () => rotate({ op: 'rotate', ring: RING, from, reason: 'CHG-9' }, deps()));
  world.clock.advance(world.config.settings.drainSeconds);
  await act('disables the old key', () => rotate({ op: 'disable-old', ring: RING }, deps()));
  await act('births the next key', () => rotate({ op: 'tick', ring: RING }, deps()));
  const { kid: prepared } = await act('prepares', () => rotate({ op: 'prepare', ring: RING }, deps()));
  await act('disables what was not needed', () => rotate({ op: 'disable-old', ring: RING, prepared }, deps()));
  const [standby] = (await ringOf(world)).keys.filter(({ state }) => state === 'STANDBY');
  world.kms.override(standby?.kmsKeyArn ?? '', { grants: ['g-1'] });
  await act('finds a grant', () => rotate({ op: 'tick', ring: RING }, deps()));
  world.kms.override(standby?.kmsKeyArn ?? '', { grants: [] });
  await act('finds it gone', () => rotate({ op: 'tick', ring: RING }, deps()));
  // Until the keys that were born here may sign.
  world.clock.advance(200);
  await act('confirms', () => rotate({ op: 'tick', ring: RING }, deps()));
}

async function tainted({ world, act }: RingScene): Promise<readonly WaveBatch[]> {
  await issueTo(world, 'member-3');
  const { activeKid: kid = '' } = await ringOf(world);
  const compromise = { class: 'compromise', reason: 'copied-possible' } as const;
  const targets: TaintTarget[] = [
    { ...compromise, kid },
    { ...compromise, kid: world.legacy.jwk.kid },
  ];
  const { kid: successor } = await rotate({ op: 'prepare', ring: RING }, world.deps('rotator'));
  const request = { op: 'taint', ring: RING, targets, successor, caseId: 'c-1' } as const;
  const { batches } = await act('taints', () => taintOrDeny(request, world.deps('taint')));
  await act('taints once more', () => taintOrDeny(request, world.deps('taint')));
  return batches;
}

async function resigned({ world, act }: RingScene, batches: readonly WaveBatch[]): Promise<void> {
  await act('publishes', () => publishFeed({ ring: RING }, world.deps('publisher')));
  await act('commits', () => commitIssued({}, world.deps('committer')));
  for (const batch of batches) {
    await act('re-signs while somebody is cut off', () =>
      resignBatch({ ...batch, pass: 1 }, cuttingOff(world, 'member-9')),
    );
    const again = () => resignBatch({ ...batch, pass: 2 }, world.deps('resigner'));
    await act('re-signs beside itself', () => Promise.all([again(), again()]));
    await act('finds nothing left', again);
  }
}

/** The resigner's ports, with a signer during whose work a subject is cut off. */
function cuttingOff(world: SigningWorld, sub: string) {
  const deps = world.deps('resigner');
  const sign: typeof deps.signer.sign = async (...request) => {
    const subjects = [{ type: 'sub', value: sub }] as const;
    await cutOff({ ring: RING, subjects, caseId: 'c-2', notBefore: world.clock.now() }, world.deps('cutter'));
    return deps.signer.sign(...request);
  };
  return { ...deps, signer: { ...deps.signer, sign } };
}

async function denied({ world, act }: RingScene, [legacy = '', cutOffSince = '']: readonly string[]): Promise<void> {
  world.clock.advance(world.config.settings.feedPollSeconds);
  await act('trades a token in', () => exchange(RING, tradeIn(legacy), world.deps('exchange')));
  await act('gives nothing to who was cut off', () =>
    exchange(RING, tradeIn(cutOffSince), world.deps('exchange')),
  ).catch(quiet);
  const kids = [world.legacy.jwk.kid];
  await act('denies', () => taintOrDeny({ op: 'deny', ring: RING, kids }, world.deps('taint')));
  await act('publishes', () => publishFeed({ ring: RING }, world.deps('publisher')));
}

async function logged({ world, act, tap }: RingScene): Promise<void> {
  for (const table of ['keys', 'cut-offs'] as const) {
    const rows = outboxRows(world.tables.takeStream(table));
    const carry = () => relay(tap.stream('outbox-signing', table, rows), world.deps('outbox-signing'));
    await act(`carries what ${table} sends`, carry);
    await act('sequences', () => sequence({}, world.deps('sequencer')));
  }
  await act('sweeps', () => sweepAll(world, ['keys', 'cut-offs'], world.deps('sweeper-signing')));
}

async function lookedAt({ world, act }: RingScene): Promise<void> {
  for (const document of ['.well-known/jwks.json', '.well-known/openid-configuration'])
    await act(`serves ${document}`, () => wellKnown(`/r/${RING}/${document}`, world.deps('well-known')));
  await act('looks', () => watchRings(world.deps('watch')));
  const [key] = (await ringOf(world)).keys.filter(({ kind }) => kind === 'kms');
  const touched = { detail: { eventName: 'PutKeyPolicy', requestParameters: { keyId: key?.kmsKeyArn } } };
  await act('sees a key touched', () => seeKeyTouched(touched, world.deps('watch')));
  for (const op of ['halt', 'resume'] as const)
    await act(`${op}s`, () => haltOrResume({ op, ring: RING, reason: 'drill' }, world.deps('halt')));
}

async function grownOld({ world, act }: RingScene): Promise<void> {
  await act('closes a ring', () => applyRingConfig(configOf(world, CLOSING, true), world.deps('ring-deployer')));
  await act('deploys a ring again', () => applyRingConfig(configOf(world, RING), world.deps('ring-deployer')));
  world.clock.advance(32 * DAY);
  for (const ring of [RING, CLOSING])
    await act(`turns ${ring}`, () => rotate({ op: 'tick', ring }, world.deps('rotator')));
}

function tradeIn(token: string): string {
  const form = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: token,
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  });
  return String(form);
}
