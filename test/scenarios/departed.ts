/** What must hold after a departure, however it went: of the leaver's access, of everybody's tokens, and of the evidence. */
import { checkManifest } from '../../lib/domain/audit/manifest';
import { expectedRecords } from '../../lib/domain/audit/owed';
import { type EvidenceRecord, formatRecord, parseRecord } from '../../lib/domain/evidence/record';
import { LOG_RECORD } from '../../lib/domain/store/log';
import { SCHEDULE } from '../../lib/domain/store/worker';
import type { World } from '../../lib/local/world';
import { type DepartureWorld, metaOf, metas, outbox, send, WORKER } from './departure-world';
import { issueTo, legacyClaims, record, ringOf, signLegacy, verifierOf } from './signing-world';

const refusedWith = (code: string) => expect.objectContaining({ code });

export interface Outstanding {
  readonly tokens: readonly string[];
  readonly leaver: string;
  readonly forged: string;
}

/** Five members under the PEM, five under the ring, one token of the leaver's, and a forgery. */
export async function outstanding(world: DepartureWorld): Promise<Outstanding> {
  const legacy = [0, 1, 2, 3, 4].map((n) => signLegacy(world, legacyClaims(world, `member-${n}`, `legacy-${n}`)));
  await record(world, legacy);
  const issued = [];
  for (const n of [0, 1, 2, 3, 4]) issued.push(await issueTo(world, `member-${n}`));
  const leaver = await issueTo(world, 'mallory');
  return {
    tokens: [...legacy, ...issued],
    leaver,
    forged: signLegacy(world, legacyClaims(world, 'nobody-at-all', 'forged')),
  };
}

export async function theOneCase(world: World): Promise<string> {
  await send(world);
  const [meta] = metas(world);
  if (!meta) throw new Error('no case');
  return meta.caseId;
}

/** Postconditions that must hold however often a step was killed and replayed. */
export async function expectDeparted(world: DepartureWorld, caseId: string, before: Outstanding): Promise<void> {
  expect(await world.iam.accessKeys('mallory')).toEqual([
    { accessKeyId: 'AKIA1', status: 'Inactive' },
    { accessKeyId: 'AKIA2', status: 'Inactive' },
  ]);
  expect(await world.iam.hasLoginProfile('mallory')).toBe(false);
  expect(world.iam.mayAct('mallory', 'AKIA1')).toBe(false);
  expect(world.iam.mayAct('colleague', 'AKIA3')).toBe(true);
  expect(
    (await world.kms.disablerFor('arn:aws:iam::000000000000:role/curfew-test-disabler').describe(world.personalKeyArn))
      .state,
  ).toBe('Disabled');

  const ring = await ringOf(world);
  expect(ring.keys.filter(({ state }) => state === 'DENIED')).toHaveLength(2);
  expect(ring.keys.filter(({ kmsState }) => kmsState === 'Enabled').map(({ state }) => state)).toEqual(['ACTIVE']);
  expect(ring.keys.find(({ kid }) => kid === ring.activeKid)?.slot).toBe(2);

  // Each outstanding token has exactly one re-signed version; the leaver's and the forgery have none.
  const resigned = world.tables.dump('ledger').filter(({ resignOf }) => resignOf !== undefined);
  expect(resigned).toHaveLength(before.tokens.length);
  expect(new Set(resigned.map(({ sk }) => sk)).size).toBe(before.tokens.length);

  const verifier = await verifierOf(world);
  for (const token of [before.leaver, before.forged, ...before.tokens])
    await expect(verifier.verify(token)).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_TOKEN_/) });
  await expect(issueTo(world, 'mallory')).rejects.toEqual(refusedWith('ERR_SUBJECT_BLOCKED'));
  expect((await verifier.verify(await issueTo(world, 'member-1'))).claims.sub).toBe('member-1');

  const meta = await metaOf(world, caseId);
  expect(meta.state).toBe('CLOSED');
  const followUp = await metaOf(world, meta.followUp ?? '');
  expect(followUp).toMatchObject({
    state: 'OPEN',
    followUpOf: caseId,
    dueAt: (meta.containedAt ?? 0) + world.config.settings.sessionSecondsMax,
  });
  expect(metas(world)).toHaveLength(2);
  expect(await world.tables.parsed.get(SCHEDULE, WORKER)).toMatchObject({ caseIds: [caseId] });
}

/** Every record that the case owes, once, in the tree, in a spelling that a verifier accepts. */
export async function expectEvidence(world: World, caseId: string): Promise<readonly EvidenceRecord[]> {
  const mine = outbox(world).filter((candidate) => candidate.case === caseId);
  const ids = mine.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect([...ids].sort()).toEqual([...expectedRecords(mine)].sort());
  for (const each of mine) expect(parseRecord(Buffer.from(formatRecord(each)))).toEqual(each);
  for (const id of ids)
    expect(await world.tables.get('log', LOG_RECORD.key(id))).toMatchObject({ index: expect.any(Number) });

  const ofRing = world.tables
    .dump('keys')
    .filter(({ sk }) => sk.startsWith('OUT#'))
    .map((item) => item.record as unknown as EvidenceRecord);
  expect(checkManifest([...mine, ...ofRing], caseId).expected).toBeGreaterThanOrEqual(ids.length);
  return mine;
}
