/** Rings as they are born, changed and rotated by the Lambdas that a deploy put there: every algorithm, several at once. */
import type { Instance } from '../../../bin/edge/instance';
import { invokePatiently } from '../../../demo/patience';
import { stockJose } from '../../../demo/tokens';
import { parseCompact } from '../../../lib/domain/jose/compact';
import { findKey } from '../../../lib/domain/rings/ring';
import { isStanding } from '../../../lib/domain/rings/rotation';
import { taintActive } from './emergency';
import { deployWith, standing } from './refused-deploy';
import { codesOf, DEPLOYED_RING, inBackground, isReady, now, print, type Stage, seconds, until } from './stage';
import { deployRing, type TestRing } from './test-ring';
import { ourVerifier } from './verifiers';

/** Three holders, each of whom trades; no load. */
async function compromise(asResponder: Instance, ring: TestRing) {
  const before = await Promise.all(['member-1', 'member-2', 'member-3'].map((sub) => ring.issue(sub)));
  await until('a STANDBY may sign', 20, () => ring.load(), isReady);
  const { kid, done } = await taintActive(asResponder, ring, 'compromise');
  await done;
  return { kid, before, after: await Promise.all(before.map((token) => ring.exchange(token))) };
}

export function deployedRings(stage: () => Stage): void {
  let compromised: ReturnType<typeof compromise>;

  test('each algorithm: issued over the API, accepted by a stock verifier and by ours, and by no other ring', async () => {
    for (const [algorithm, ring] of Object.entries(stage().rings)) {
      const tokens = await Promise.all(['member-1', 'member-2'].map((sub) => ring.issue(sub)));
      const jose = stockJose(ring.verifierOptions);
      const ours = ourVerifier(ring.verifierOptions);
      expect(tokens.map((token) => parseCompact(token).header.alg)).toEqual([algorithm, algorithm]);
      expect(await codesOf(tokens.flatMap((token) => [jose(token), ours.verify(token)]))).toEqual(Array(4).fill('ok'));
      const others = Object.values(stage().rings).filter((other) => other !== ring);
      const elsewhere = others.map((other) => ourVerifier(other.verifierOptions).verify(tokens[0] ?? ''));
      expect(await codesOf(elsewhere)).toEqual(Array(4).fill('ERR_TOKEN_KID_UNKNOWN'));
    }
    print(`algorithms: ${Object.keys(stage().rings).join(', ')}: issued, accepted by jose and by curfew/verifier`);
    compromised = inBackground(compromise(stage().asResponder, stage().rings.RS256));
  });

  test('cdk deploy refuses another alg on a live ring, says what to do, and leaves the stack as it was', async () => {
    const before = await standing(stage().instance, DEPLOYED_RING);
    const at = Date.now();
    const { deployed, reasons } = await deployWith('ES384');
    const took = Date.now() - at;
    expect(deployed).toBe(false);
    expect(reasons).toContain('ERR_RING_IMMUTABLE');
    expect(reasons).toContain(`alg of ring ${DEPLOYED_RING} cannot change`);
    expect(reasons).toContain('deploy a new ring with another id beside it');
    expect(await standing(stage().instance, DEPLOYED_RING)).toEqual({ ...before, status: 'UPDATE_ROLLBACK_COMPLETE' });
    print(`cdk deploy with another alg: refused and rolled back in ${seconds(took)}`);
  });

  test.each(['issuer', 'audience'] as const)('another %s on a live ring is refused', async (name) => {
    const ring = stage().rings.ES384;
    const before = await ring.load();
    const changed = { ...ring.config, [name]: `${ring.config[name]}-2` };
    await expect(deployRing(stage().instance, 'Update', changed)).rejects.toMatchObject({
      code: 'ERR_RING_IMMUTABLE',
      message: `${name === 'issuer' ? 'iss' : 'aud'} of ring ${ring.id} cannot change`,
      fix: expect.stringContaining('deploy a new ring with another id'),
    });
    expect(await ring.load()).toEqual(before);
  });

  test('two rotators at once make one rotation', async () => {
    const ring = stage().rings.ES384;
    const before = await until('a STANDBY may sign', 20, () => ring.load(), isReady);
    await ring.makeRotationDue();
    const { functions } = stage().instance;
    const tick = () => invokePatiently('the rotator', () => functions.invoke('rotator', { op: 'tick', ring: ring.id }));
    const done = (await Promise.all([tick(), tick()])).flatMap((answer) => answer.done);
    const after = await ring.load();
    expect(done.filter((what) => what.startsWith('activate'))).toEqual([`activate ${after.activeKid}`]);
    expect(after.activations).toBe(before.activations + 1);
    expect(after.keys.filter(({ state }) => state === 'ACTIVE')).toHaveLength(1);
    expect(after.keys.filter((key) => isStanding(key, now()))).toHaveLength(2);
    expect(parseCompact(await ring.issue('member-1')).header.kid).toBe(after.activeKid);
    print(`two rotators at once: ${done.length} actions, 1 rotation`);
  });

  test('an emergency on an RSA ring: the ledger’s tokens live on under the next key', async () => {
    const ring = stage().rings.RS256;
    const { before, after, kid } = await compromised;
    const jose = stockJose(ring.verifierOptions);
    const ours = ourVerifier(ring.verifierOptions);
    expect(findKey(await ring.load(), kid)).toMatchObject({ state: 'DENIED', inJwks: false, kmsState: 'Disabled' });
    expect(await codesOf(after.flatMap((token) => [jose(token), ours.verify(token)]))).toEqual(Array(6).fill('ok'));
    const old = [...before.map((token) => ours.verify(token)), ...before.map((token) => jose(token))];
    const codes = await codesOf(old);
    expect(codes).toEqual([...Array(3).fill('ERR_TOKEN_KID_STATE'), ...Array(3).fill('ERR_JWKS_NO_MATCHING_KEY')]);
    const accepted = codes.filter((code) => code === 'ok').length;
    print(
      `emergency on an RS256 ring: ${after.length} of ${before.length} holders traded; ${accepted} old tokens accepted`,
    );
  });
}
