/** `curfew ring taint` on a deployment, by a responder: of kids that begin as an option, a name or a number may, abbreviated. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Instance } from '../../bin/edge/instance';
import { parseRingConfig } from '../../lib/domain/rings/configuration';
import type { Ring } from '../../lib/domain/rings/ring';
import { loadRing } from '../../lib/work/rings/load-ring';
import { bundleCli, runCliPatiently } from '../support/cli';
import { extent } from '../support/extent';
import { ODD_KIDS, type OddKid, oddKey } from '../support/keys';
import { seedFor } from '../support/seeded';
import { personWith } from './aws';
import { deployRing, forgetRing } from './rings/test-ring';

jest.setTimeout(200_000);
const RING = 'kids-test';
const KIDS = (Object.keys(ODD_KIDS) as OddKid[]).map((begins) => oddKey(begins).jwk);
const dir = mkdtempSync(join(tmpdir(), 'curfew-kids-'));
const bundle = bundleCli(dir);
let instance: Instance;
let responder: NodeJS.ProcessEnv;

beforeAll(async () => {
  instance = await Instance.find('demo');
  responder = await personWith('responder', instance.output('PolicyResponderArn'));
  const verifyUntil = Math.floor(Date.now() / 1000) + 86_400;
  const config = parseRingConfig({
    id: RING,
    issuer: `https://login.shop.example/${RING}`,
    audience: 'https://api.shop.example',
    algorithm: 'ES256',
    periodSeconds: 30 * 86_400,
    maxTtlSeconds: 3600,
    // KMS draws the kids of its own keys; that of a key which is adopted may begin as it likes.
    legacyKeys: KIDS.map((jwk) => ({ jwk, verifyUntil, approver: 'CHG-7' })),
  });
  await deployRing(instance, 'Create', config);
});
afterAll(async () => {
  await forgetRing(instance, RING);
  rmSync(dir, { recursive: true, force: true });
});

/** Each waits for a drain and a poll: by day one of them, which by the seed. */
const SOME = KIDS.filter((_, n) => extent(1, KIDS.length) === KIDS.length || n === seedFor('odd kids') % KIDS.length);

test.each(SOME)('eight characters of $kid end that key and no other', async ({ kid }) => {
  const before = statesOf(await loadRing(instance, RING));
  const line = ['ring', 'taint', kid.slice(0, 8), '--class', 'planned', '--reason', '-', '--instance', 'demo'];
  const { status, stdout, stderr } = await runCliPatiently(bundle, line, responder);
  expect([status, stdout, stderr]).toEqual([
    0,
    expect.stringMatching(new RegExp(`^${kid} DENIED, 0 tokens re-signed; proved by c-[\\w-]{22}\\n`)),
    expect.stringMatching(new RegExp(`^curfew: ${kid.slice(0, 8)} is ${kid} of ring ${RING}$`, 'm')),
  ]);
  expect(statesOf(await loadRing(instance, RING))).toEqual({ ...before, [kid]: 'DENIED' });
});

const statesOf = ({ keys }: Ring) => Object.fromEntries(keys.map(({ kid, state }) => [kid, state]));
