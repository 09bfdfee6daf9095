/**
 * The plan of a case, computed once from what is frozen in `case.inventory`.
 *
 * Custody decides the response: to custody that could copy a key, `compromise`; to custody that could use,
 * deploy or administer it with `planned`, twice. Everything here stands in records in clear: rings, kids and custody
 * classes name no person. The offline verifier calls the same function.
 */
import { canonicalJson, H } from '../base/encoding';
import type { KeyState, TaintClass } from '../rings/ring';
import {
  type EndedKeyRef,
  type ExposureRef,
  type Inventory,
  type PlannedItem,
  SHUT_KINDS,
  type ThingRef,
} from '../store/case-items';
import type { ExposureClass } from '../store/people';
import { itemNumber } from './containment';

export type { Inventory, PlannedItem } from '../store/case-items';
export { EXPOSURE_CLASSES, type ExposureClass } from '../store/people';

/** What each class of custody asks for. `again`: a session alive at containment can sign with the next key too. */
const RESPONSES: Readonly<Record<ExposureClass, { readonly taint: TaintClass; readonly again: boolean } | undefined>> =
  {
    'copied-possible': { taint: 'compromise', again: false },
    'could-use': { taint: 'planned', again: true },
    'could-deploy': { taint: 'planned', again: true },
    administers: { taint: 'planned', again: true },
    'reads-public': undefined,
  };

/** A key that is past these cannot be tainted and need not be: it is refused already. */
const OVER: readonly KeyState[] = ['DENIED', 'RETIRED'];

/** What a record of 65,535 bytes has room for, with the reason of each. */
export const EXPOSURES_MAX = 50;

/** Whether anything is done about such an exposure. */
export function asksForEnd({ class: of }: Pick<ExposureRef, 'class'>): boolean {
  return RESPONSES[of] !== undefined;
}

/** Whether somebody with such custody can sign with the next key too, as long as a session is alive. */
export function asksAgain({ class: of }: Pick<ExposureRef, 'class'>): boolean {
  return RESPONSES[of]?.again ?? false;
}

/** A plan covers an exposure of this ring, or this one key, by its class: whatever it then made of it is done, or open. */
export function isCovered(exposure: Omit<ExposureRef, 'ref'>, inventories: readonly Pick<Inventory, 'exposures'>[]) {
  const { ring, kid, class: of } = exposure;
  return inventories.some(({ exposures }) =>
    exposures.some((one) => one.ring === ring && one.kid === kid && one.class === of),
  );
}

/**
 * Pure, and the same items in the same order for the same inventory: taints, then console logins, then the next date,
 * then what cannot be planned. One stale exposure must not keep the other keys of a leaver good, so it is no error.
 */
export function planCase(inventory: Inventory): readonly PlannedItem[] {
  if (inventory.things !== undefined) return planRelease(inventory.things, inventory.firstItem);
  if (inventory.ends !== undefined) return planEnding(inventory.ends, inventory);
  const taints = planTaints(inventory);
  const logins = inventory.principals.flatMap((p) =>
    p.type === 'iam-user' && p.loginProfile ? [{ kind: 'login-profile' as const, ref: p.ref }] : [],
  );
  const rings = inventory.exposures
    .filter((e) => asksAgain(e) && keyExposed(e, inventory.keys) !== undefined)
    .map(({ ring }) => ring);
  const again = !inventory.followUp && rings.length > 0;
  const items = [
    ...taints,
    ...logins,
    ...(again ? [{ kind: 'rotate-again' as const, rings: [...new Set(rings)].sort() }] : []),
    ...listUnplannable(inventory),
  ];
  return items.map((item, index) => ({ nn: itemNumber(inventory.firstItem + index), ...item }));
}

/**
 * Newest first: what was shut last is opened first, and the tokens of the subject last, because a cut-off that was lifted
 * stands in a feed that everybody keeps.
 */
function planRelease(things: readonly ThingRef[], firstItem: number): readonly PlannedItem[] {
  const order = [...SHUT_KINDS].reverse();
  const sorted = order.flatMap((kind) => things.filter(({ thing }) => thing === kind));
  return sorted.map((thing, index) => ({ nn: itemNumber(firstItem + index), kind: 'release', ...thing }));
}

/**
 * The key that a responder ends. A DENIED one is joined: the records of its end name this case too. One that is RETIRED by
 * now is looked at all the same: only what was seen is over.
 */
function planEnding(
  { ring, kid, class: taintClass }: EndedKeyRef,
  { keys, firstItem }: Inventory,
): readonly PlannedItem[] {
  const key = keys.find((one) => one.ring === ring && one.kid === kid);
  const nn = itemNumber(firstItem);
  if (key === undefined || key.state === 'STANDBY')
    return [{ nn, kind: 'unplannable', ref: 'key', reason: `ring ${ring} has no key ${kid} that has issued` }];
  return [{ nn, kind: 'taint', ring, kid, class: taintClass, replace: key.state === 'ACTIVE', because: [] }];
}

/** One taint a kid, whatever the number of exposures; a compromise outweighs a planned replacement. */
function planTaints({ exposures, keys }: Inventory) {
  const taints = new Map<string, Omit<Extract<PlannedItem, { kind: 'taint' }>, 'nn'>>();
  for (const exposure of exposures) {
    const response = RESPONSES[exposure.class];
    if (response === undefined) continue;
    const key = keyExposed(exposure, keys);
    if (key === undefined || !isTaintable(key)) continue;

    const before = taints.get(`${key.ring}/${key.kid}`);
    taints.set(`${key.ring}/${key.kid}`, {
      kind: 'taint',
      ring: key.ring,
      kid: key.kid,
      class: before?.class === 'compromise' ? 'compromise' : response.taint,
      replace: key.state === 'ACTIVE',
      because: [...(before?.because ?? []), exposure.ref],
    });
  }
  // Compromised keys first: they are being used against us, the others only might be.
  return [...taints.values()].sort(
    (a, b) => a.class.localeCompare(b.class, 'en') || (`${a.ring}/${a.kid}` < `${b.ring}/${b.kid}` ? -1 : 1),
  );
}

function listUnplannable({ exposures, keys, omitted = 0 }: Inventory) {
  const stale = exposures.flatMap((exposure) => {
    const key = keyExposed(exposure, keys);
    if (!asksForEnd(exposure) || (key && key.state !== 'STANDBY')) return [];
    const reason = `ring ${exposure.ring} has no ${exposure.kid === undefined ? 'ACTIVE key' : `key ${exposure.kid} to taint`}`;
    return [{ kind: 'unplannable' as const, ref: exposure.ref, reason }];
  });
  const beyond = { kind: 'unplannable' as const, ref: 'more', reason: `${omitted} more exposures than one case lists` };
  return omitted > 0 ? [...stale, beyond] : stale;
}

/** The key that an exposure is of; the planner records no other. */
export function keyExposed<K extends Inventory['keys'][number]>(
  { ring, kid }: ExposureRef,
  keys: readonly K[],
): K | undefined {
  return keys.find((key) => key.ring === ring && (kid === undefined ? key.state === 'ACTIVE' : key.kid === kid));
}

function isTaintable({ state }: Inventory['keys'][number]): boolean {
  return state !== 'STANDBY' && !OVER.includes(state);
}

/** Names a frozen list: an approval, and a later reader, can say which one is meant. */
export function itemsSha(items: readonly object[]): string {
  return H(canonicalJson(items));
}
