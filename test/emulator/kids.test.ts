/** `curfew ring taint` on a deployment, by a responder: of kids that begin as an option, a name or a number may, abbreviated. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Instance } from '../../bin/edge/instance';
import { parseRingConfig } from '../../lib/domain/rings/configuration';
import { activeKey, findKey } from '../../lib/domain/rings/ring';
import { loadRing } from '../../lib/work/rings/load-ring';
import { bundleCli, runCli } from '../support/cli';
import { ODD_KIDS, type OddKid, oddKey } from '../support/keys';
import { personWith } from './aws';
import { deployRing, forgetRing } from './rings/test-ring';

jest.setTimeout(200_000);
/** A ring for each, so that none waits for another one's drain. */
const RINGS: readonly (readonly [OddKid, string])[] = (Object.keys(ODD_KIDS) as OddKid[]).map((begins, n) => [
  begins,
  `kids-test-${n}`,
]);
const dir = mkdtempSync(join(tmpdir(), 'curfew-kids-'));
const bundle = bundleCli(dir);
let instance: Instance;
let responder: NodeJS.ProcessEnv;

beforeAll(async () => {
  instance = await Instance.find('demo');
  responder = await personWith('responder', instance.output('PolicyResponderArn'));
  await Promise.all(RINGS.map(([begins, id]) => deployRing(instance, 'Create', configOf(id, begins))));
});
afterAll(async () => {
  await Promise.all(RINGS.map(([, id]) => forgetRing(instance, id)));
  rmSync(dir, { recursive: true, force: true });
});

/** KMS draws the kids of its own keys; that of a key which is adopted may begin as it likes. */
function configOf(id: string, begins: OddKid) {
  const legacyKey = { jwk: oddKey(begins).jwk, verifyUntil: Math.floor(Date.now() / 1000) + 86_400, approver: 'CHG-7' };
  return parseRingConfig({
    id,
    issuer: `https://login.shop.example/${id}`,
    audience: 'https://api.shop.example',
    algorithm: 'ES256',
    periodSeconds: 30 * 86_400,
    maxTtlSeconds: 3600,
    legacyKeys: [legacyKey],
  });
}

test('eight characters of a kid that begins with -, _ or a digit end that key and no other', async () => {
  const ended = await Promise.all(
    RINGS.map(async ([begins, id]) => {
      const { kid } = oddKey(begins).jwk;
      const line = ['ring', 'taint', kid.slice(0, 8), '--class', 'planned', '--reason', '-', '--instance', 'demo'];
      const { status, stdout, stderr } = await runCli(bundle, line, responder);
      expect([status, stdout, stderr]).toEqual([
        0,
        `${kid} DENIED, 0 tokens re-signed\n`,
        expect.stringMatching(new RegExp(`^curfew: ${kid.slice(0, 8)} is ${kid} of ring ${id}$`, 'm')),
      ]);
      const ring = await loadRing(instance, id);
      return [findKey(ring, kid).state, activeKey(ring)?.state];
    }),
  );
  expect(ended).toEqual(RINGS.map(() => ['DENIED', 'ACTIVE']));
  process.stdout.write(`kids: ${RINGS.length} that begin with -, _ and a digit, abbreviated: each ended its key\n`);
});
