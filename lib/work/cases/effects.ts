/**
 * The effect of each kind of item, each an ensure(state) that may run twice, and what is read back after it.
 * The conductor reaches IAM, KMS and the cut-offs through Lambdas whose whole rights are that one effect.
 */
import type { DepartureCase } from '../../domain/cases/case';
import type { ItemKind, Observations } from '../../domain/cases/proof';
import type { Deps } from '../../ports';
import { needed, type StoredItem } from './case-store';
import { leaverAs } from './leaver-as';
import { OBSERVE_IAM, userOf } from './observe';

type Effect<K extends ItemKind> = (
  stored: StoredItem,
  meta: DepartureCase,
  deps: Deps<'conductor'>,
) => Promise<Observations[K]>;
/** Taints are acted on together, by the steps of the wave; a second rotation is a write of the case itself. */
type EffectKind = Exclude<ItemKind, 'taint' | 'rotate-again' | 'release' | 'unplannable'>;

export const EFFECTS: { readonly [K in EffectKind]: Effect<K> } = {
  'cut-off': async ({ item, target }, meta, { functions, clock }) => {
    const ring = needed('ring' in item ? item.ring : undefined, 'ring', item.nn);
    const subjects = leaverAs(needed(target.value, 'value', item.nn));
    // A replay cuts off a little later than the first try did; a cut-off only moves forward, and the block stands.
    const { cutOffs } = await functions.invoke('cutter', {
      ring,
      subjects,
      caseId: meta.caseId,
      notBefore: clock.now(),
    });
    return {
      blocked: cutOffs.length === subjects.length && cutOffs.every(({ blocked }) => blocked),
      notBefore: Math.min(...cutOffs.map(({ notBefore }) => notBefore)),
    };
  },
  latch: async (stored, meta, deps) => {
    const userName = needed(stored.target.userName, 'userName', stored.item.nn);
    const { exists } = await OBSERVE_IAM.latch(stored, deps);
    // The user may have been deleted since the list was frozen: there is no user left to latch.
    if (exists) await deps.functions.invoke('latch', { userName, caseId: meta.caseId });
    return OBSERVE_IAM.latch(stored, deps);
  },
  'access-key': async (stored, _meta, deps) => {
    const userName = needed(stored.target.userName, 'userName', stored.item.nn);
    const accessKeyId = needed(stored.target.accessKeyId, 'accessKeyId', stored.item.nn);
    await userOf(stored, deps);
    await deps.functions.invoke('iam-disabler', { op: 'deactivate-access-key', userName, accessKeyId });
    return OBSERVE_IAM['access-key'](stored, deps);
  },
  'personal-key': async ({ item, target }, _meta, { functions }) => {
    const { state } = await functions.invoke('disabler', { kmsKeyArn: needed(target.kmsKeyArn, 'kmsKeyArn', item.nn) });
    return { kmsState: state };
  },
  'login-profile': async (stored, _meta, deps) => {
    const userName = needed(stored.target.userName, 'userName', stored.item.nn);
    await userOf(stored, deps);
    await deps.functions.invoke('iam-disabler', { op: 'delete-login-profile', userName });
    return OBSERVE_IAM['login-profile'](stored, deps);
  },
};
