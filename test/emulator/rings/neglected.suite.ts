/** Rings that were tampered with, or that nobody looks after any more. */
import { kmsState } from '../../../demo/cast';
import { invokePatiently, once } from '../../../demo/patience';
import { activeKey, findKey, type Ring } from '../../../lib/domain/rings/ring';
import { isStanding } from '../../../lib/domain/rings/rotation';
import { switchSchedules } from './schedules';
import { codesOf, now, print, type Stage, TICK_WITHIN_SECONDS, until } from './stage';
import { datePolicy, forge } from './tampering';
import { ourVerifier } from './verifiers';

export function neglectedRings(stage: () => Stage): void {
  test('past the signUntil of its policy KMS refuses an enabled key, whoever is dead', async () => {
    const ring = stage().rings.EdDSA;
    await stage().stopped;
    const key = activeKey(await ring.load());
    if (!key?.kmsKeyArn) throw new Error(`ring ${ring.id} has no ACTIVE key`);
    const { kmsKeyArn, alg } = key;
    const { functions } = stage().instance;
    const request = { op: 'probe', kmsKeyArn, algorithm: alg } as const;
    const probe = async () => (await invokePatiently('the issuer', () => functions.invoke('issuer', request))).probe;
    const restore = await datePolicy(ring, key, now() + 5);
    expect(await probe()).toEqual({ signed: true });
    const refused = await until('KMS refuses', 15, probe, (answer) => answer?.signed === false);
    expect(refused).toEqual({ signed: false, code: 'ERR_ACCESS_DENIED' });
    expect(await kmsState(kmsKeyArn)).toBe('Enabled');
    await expect(ring.issue('member-1', once)).rejects.toThrow();
    await expect(stage().rings.ES384.issue('member-1')).resolves.toEqual(expect.any(String));
    await restore();
    expect(await probe()).toEqual({ signed: true });
    print(
      'dead man’s key: past its signUntil KMS refuses the issuer, the key still enabled; before and without it, it signs',
    );
  });

  test('the next tick mends what was done to both STANDBYs of a ring, and nothing signed with them counts', async () => {
    const ring = stage().rings.PS256;
    const { enabled, changed, forged, refused } = stage().tampered;
    const isMended = ({ keys }: Ring) =>
      keys.some(({ kid, state }) => kid === changed.kid && state === 'RETIRED') &&
      keys.filter((key) => isStanding(key, now()) && key.confirmedAt !== undefined).length === 2;
    const mended = await until('two STANDBYs as they were born', TICK_WITHIN_SECONDS, () => ring.load(), isMended);

    expect(findKey(mended, enabled.kid)).toMatchObject({ state: 'STANDBY', kmsState: 'Disabled' });
    expect(await Promise.all([enabled, changed].map(({ kmsKeyArn = '' }) => kmsState(kmsKeyArn)))).toEqual([
      'Disabled',
      'Disabled',
    ]);
    expect(await codesOf([enabled, changed].map((key) => forge(ring, key, now())))).toEqual([
      'ERR_KEY_DISABLED',
      'ERR_KEY_DISABLED',
    ]);
    expect(await ring.jwksKids()).not.toContain(changed.kid);
    const ours = ourVerifier(ring.verifierOptions);
    const refusedStill = await codesOf(forged.map((token) => ours.verify(token)));
    expect([refused, refusedStill]).toEqual([
      ['ERR_TOKEN_KID_STATE', 'ERR_TOKEN_KID_STATE'],
      ['ERR_TOKEN_KID_STATE', 'ERR_TOKEN_KID_UNKNOWN'],
    ]);
    const accepted = [...refused, ...refusedStill].filter((code) => code === 'ok').length;
    print(
      `read-back: a STANDBY that was enabled is disabled again, one whose policy was changed is replaced; ${forged.length} forgeries shown before and after, ${accepted} accepted`,
    );
  });

  test('with scheduler and publisher stopped, the JWKS drops a kid past its verifyUntil', async () => {
    const ring = stage().rings.EdDSA;
    const { kid, names } = await stage().stopped;
    const verifyUntil = now() + 3;
    await ring.makeVerifyingEnd(kid, verifyUntil);
    expect(await ring.jwksKids()).toContain(kid);
    await until(
      'the JWKS lacks the kid',
      15,
      () => ring.jwksKids(),
      (kids) => !kids.includes(kid),
    );
    expect(now()).toBeGreaterThan(verifyUntil);
    expect(findKey(await ring.load(), kid)).toMatchObject({ state: 'VERIFY_ONLY', inJwks: true });
    await switchSchedules(names, 'ENABLED');
    const isRetired = ({ keys }: Ring) => keys.some((key) => key.kid === kid && key.state === 'RETIRED');
    await until('the schedule retires it', TICK_WITHIN_SECONDS, () => ring.load(), isRetired);
    print(
      'dead scheduler: the kid left the JWKS at its verifyUntil, still VERIFY_ONLY in the table; RETIRED once there was a tick',
    );
  });
}
