import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportBundle, verifyBundle } from '../../bin/commands/evidence';
import { append } from '../../lambdas/appender';
import { sequence } from '../../lambdas/sequencer';
import type { EvidenceRecord } from '../../lib/domain/evidence/record';
import { World } from '../../lib/local/world';
import { CASE, RECORDS, storedLists } from '../domain/audit/test-case';

const filler = Array.from(
  { length: 300 },
  (_, n): EvidenceRecord => ({
    v: 1,
    id: `b2b/${n}`,
    type: 'ring.updated',
    at: 1_700_000_000,
    ring: 'b2b',
    body: { n },
  }),
);
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'curfew-evidence-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function logOf(records: readonly EvidenceRecord[]): Promise<World> {
  const world = new World();
  for (const [key, text] of storedLists(records)) await world.objects.put('evidence', key, Buffer.from(text));
  await append({ records }, world.deps('appender'));
  await sequence({}, world.deps('sequencer'));
  return world;
}

async function exported(world: World, name = 'evidence'): Promise<string> {
  const dir = join(folder, name);
  const objects = world.objects.restricted<'evidence:get' | 'heads:get'>(['evidence:get', 'heads:get']);
  await exportBundle({ case: CASE, dir }, { objects, clock: world.clock });
  return dir;
}

test('what the sequencer published is exported whole and holds, with full tiles and partial ones', async () => {
  const dir = await exported(await logOf([...filler, ...RECORDS]));
  const vkey = readFileSync(join(dir, 'log.vkey'), 'utf8').trim();
  const { verdict, text, exitCode } = verifyBundle(dir, { vkey });
  expect(text).toContain('the evidence holds');
  expect({ ok: verdict.ok, exitCode, keyFrom: verdict.keyFrom }).toEqual({ ok: true, exitCode: 0, keyFrom: 'pinned' });
  for (const path of ['tile/0/000', 'tile/entries/000', 'tile/1/000.p/1', 'bundle.json', 'checkpoint'])
    expect(existsSync(join(dir, path))).toBe(true);
});

test('the table names each check, what failed and why, and what is not proved', async () => {
  const dir = await exported(await logOf(RECORDS));
  const path = join(dir, 'tile', '0', `000.p`, String(RECORDS.length));
  writeFileSync(path, readFileSync(path).reverse());
  const { text, exitCode } = verifyBundle(dir);
  expect(exitCode).toBe(1);
  expect(text).toBe(`case ${CASE} in curfew.test/log, ${RECORDS.length} records

ok    bundle     the bundle says which case it is about
ok    key        there is one verifier key of the log
ok    signature  the checkpoint is signed with the key of the log
FAIL  tree       entries and tiles are all there and add up to the checkpoint
                 ERR_EVIDENCE_TREE: the tile tile/0/000.p/${RECORDS.length} does not follow from the entries
FAIL  records    every entry is a record in its one spelling, no id twice
                 ERR_EVIDENCE_TREE: not checked: the check "tree" failed
FAIL  tokens     every list of issued tokens is the one its record commits to
                 ERR_EVIDENCE_TREE: not checked: the check "records" failed
FAIL  waves      every finished wave commits to exactly the tokens re-signed
                 ERR_EVIDENCE_TREE: not checked: the check "records" failed
FAIL  manifest   every record that the case owes is there
                 ERR_EVIDENCE_TREE: not checked: the check "records" failed
FAIL  order      nothing in the case is dated before what it follows from
                 ERR_EVIDENCE_TREE: not checked: the check "manifest" failed

note: key taken from the bundle: pin the one you were given with --vkey
note: not independent of the operator: no signature of an outside witness
the evidence does not hold
`);
});

test('a later export extends an earlier one; an earlier one does not extend a later', async () => {
  const world = await logOf(RECORDS);
  const before = await exported(world, 'before');
  await append({ records: filler }, world.deps('appender'));
  await sequence({}, world.deps('sequencer'));
  const after = await exported(world, 'after');
  const kept = (dir: string) => join(dir, 'checkpoint');
  expect(verifyBundle(after, { earlier: kept(before) }).exitCode).toBe(0);
  expect(
    verifyBundle(before, { earlier: kept(after) }).verdict.checks.find(({ id }) => id === 'extends'),
  ).toMatchObject({
    ok: false,
    code: 'ERR_EVIDENCE_TREE',
    detail: `a tree of ${RECORDS.length} cannot follow one of ${RECORDS.length + filler.length}`,
  });
});

test('a folder with something in it is not exported into', async () => {
  const world = await logOf(RECORDS);
  const dir = await exported(world);
  await expect(exported(world)).rejects.toThrow(
    expect.objectContaining({ code: 'ERR_INPUT_INVALID', message: `${dir} is not empty` }),
  );
});

test('a log that published nothing cannot be exported', async () => {
  await expect(exported(new World())).rejects.toThrow(
    expect.objectContaining({ code: 'ERR_NOT_FOUND', message: 'checkpoint is not in bucket heads' }),
  );
});

test('a bundle copied elsewhere holds as well, and an absent one is said to be absent', async () => {
  const dir = await exported(await logOf(RECORDS));
  cpSync(dir, join(folder, 'copy'), { recursive: true });
  expect(verifyBundle(join(folder, 'copy')).exitCode).toBe(0);
  expect(() => verifyBundle(join(folder, 'none'))).toThrow(expect.objectContaining({ code: 'ERR_NOT_FOUND' }));
});
