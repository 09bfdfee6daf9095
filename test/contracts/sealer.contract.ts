/** What every Sealer owes its callers. */
import type { Sealer } from '../../lib/ports';
import { idsFor } from '../support/seeded';

const id = idsFor('sealer contract');

export interface SealerHarness {
  readonly sealer: Sealer;
  /** Erases the person's key, as an erasure request would. */
  shred(pseudonym: string): Promise<void>;
}

export function sealerContract(make: () => SealerHarness): void {
  let sealer: Sealer;
  let shred: SealerHarness['shred'];
  let person: string;
  beforeEach(() => {
    ({ sealer, shred } = make());
    person = `p-${id()}`;
  });

  test('what was sealed opens where it was sealed', async () => {
    const sealed = await sealer.seal(person, 'case.opened#name', 'Zoë Žižek');
    expect(sealed).not.toContain('Zoë');
    expect(await sealer.open(person, 'case.opened#name', sealed)).toBe('Zoë Žižek');
  });

  test('the same text sealed twice gives two texts', async () => {
    expect(await sealer.seal(person, 'a#b', 'same')).not.toBe(await sealer.seal(person, 'a#b', 'same'));
  });

  test('a sealed field moved to another place, or to another person, does not open', async () => {
    const other = `p-${id()}`;
    await sealer.seal(other, 'a#b', 'x');
    const sealed = await sealer.seal(person, 'a#b', 'clear');
    for (const [who, where] of [
      [person, 'a#c'],
      [other, 'a#b'],
    ] as const)
      await expect(sealer.open(who, where, sealed)).rejects.toMatchObject({
        code: 'ERR_EVIDENCE_SIGNATURE',
        message: 'the sealed field was not sealed for this person and place',
      });
  });

  test('once the key is shredded nothing opens, not even after the person is written about again', async () => {
    const sealed = await sealer.seal(person, 'a#b', 'clear');
    await shred(person);
    await expect(sealer.open(person, 'a#b', sealed)).rejects.toMatchObject({
      code: 'ERR_NOT_FOUND',
      message: 'the key of this person is gone; the fields are erased',
    });
    await sealer.seal(person, 'a#b', 'again');
    await expect(sealer.open(person, 'a#b', sealed)).rejects.toMatchObject({ code: 'ERR_EVIDENCE_SIGNATURE' });
  });

  test('two first seals at once use one key: both open', async () => {
    const sealed = await Promise.all(['1', '2', '3'].map((clear) => sealer.seal(person, 'a#b', clear)));
    const opened = await Promise.all(sealed.map((text) => sealer.open(person, 'a#b', text)));
    expect(opened).toEqual(['1', '2', '3']);
  });
}
