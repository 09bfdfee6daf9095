/** The row `births` of the doctor: a slot whose key does not come. */
import { diagnoseSlots } from '../../../lib/domain/health/birth-diagnosis';
import type { Slot } from '../../../lib/domain/rings/ring';
import { DAY, NOW, ringWith } from '../../support/rings';

const slot = (n: number, state: Slot['state']): Slot => ({ slot: n, state, at: NOW, nonce: 'n', signUntil: NOW + DAY });
const looked = (slots: readonly Slot[], later: number) => diagnoseSlots({ ring: ringWith({ slots }), at: NOW + later });

test('a slot that stands in INTENT for more than ten minutes is a birth that does not happen', () => {
  const slots = [slot(1, 'ADOPTED'), slot(2, 'INTENT')];
  expect(looked(slots, 600)).toEqual([]);
  expect(looked(slots, 1500)).toEqual([
    {
      of: 'customer-api',
      check: 'births',
      state: 'problem',
      found: 'slot 2 stands in INTENT since 2027-01-15T08:00:00Z, 25 min: KMS made no key for it',
      fix: expect.stringContaining('the row `birth of keys` says whether a policy denies it'),
    },
  ]);
});

test('so is one whose key was made and not adopted; several are counted', () => {
  expect(looked([slot(1, 'CREATED'), slot(2, 'INTENT'), slot(3, 'INTENT')], 660)).toMatchObject([
    {
      state: 'problem',
      found: expect.stringMatching(/^slot 1 stands in CREATED .* its key was not adopted; 2 more slots as well$/),
    },
  ]);
});

test('slots whose keys stand by are nothing to tell', () => {
  expect(looked([slot(1, 'ADOPTED'), slot(2, 'ADOPTED')], DAY)).toEqual([]);
});
