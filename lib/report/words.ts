/** Items of a case in plain words: what each was, what was done about it, and what was seen before and after. */

import type { CaseFacts, ItemFacts } from './facts';
import { endsAKey, exposureBehind } from './facts';
import { type Members, object, objects, text, whole } from './fields';
import { utc } from './time';

interface ItemWords {
  readonly was: string;
  readonly done: string;
  readonly before: string;
  readonly after: string;
}

const CUSTODY: Readonly<Record<string, string>> = {
  'copied-possible': 'could have kept a copy of it',
  'could-use': 'could sign with it',
  'could-deploy': 'could deploy the code that signs with it',
  administers: 'could administer it',
  'reads-public': 'could read its public half',
};

const STATES: Readonly<Record<string, string>> = {
  OBSERVED: 'its tokens were accepted',
  ACTIVE: 'it signed every new token',
  VERIFY_ONLY: 'its tokens were accepted',
  SUSPECT: 'only its recorded tokens were accepted',
};

type Describe = (facts: ItemFacts, seen: Members | undefined, all: CaseFacts) => ItemWords;

const WORDS: Readonly<Record<string, Describe>> = {
  'cut-off': ({ item }, seen) => {
    const notBefore = whole(seen, 'notBefore');
    const since = notBefore === undefined ? '' : `, every token issued up to ${utc(notBefore)} refused`;
    return {
      was: `Every access token issued to this person (${text(item, 'ring') ?? 'unnamed ring'})`,
      done: 'Blocked and cut off: old tokens stop counting, new ones are not issued',
      before: 'On record as this person’s identity',
      after: seen?.blocked === true ? `Blocked in the list that services are served${since}` : 'Not blocked',
    };
  },
  latch: (_facts, seen) => ({
    was: 'AWS user, with every session it has open',
    done: 'Locked out by a tag and a policy that denies everything',
    before: 'The user existed',
    after:
      seen?.exists === false
        ? 'The user is gone'
        : `${seen?.tagged === true ? 'Tagged' : 'Not tagged'}, deny policy ${seen?.denied === true ? 'in place' : 'missing'}`,
  }),
  'access-key': ({ item }, seen) => ({
    was: `AWS access key ${(whole(item, 'key') ?? 0) + 1}`,
    done: 'Switched off',
    before: 'Listed by AWS as a key of this user',
    after: seen?.status === 'none' ? 'AWS knows no such key any more' : `AWS says ${text(seen, 'status') ?? 'nothing'}`,
  }),
  'personal-key': (_facts, seen) => ({
    was: 'An encryption key of their own (AWS KMS)',
    done: 'Disabled',
    before: 'On record as this person’s',
    after: `KMS says ${text(seen, 'kmsState') ?? 'nothing'}`,
  }),
  'login-profile': (_facts, seen) => ({
    was: 'AWS console password',
    done: 'Removed',
    before: 'A console login existed',
    after: seen?.exists === false ? 'AWS has no console login for this user' : 'The console login is still there',
  }),
  taint: (facts, seen, all) => {
    const { item, before } = facts;
    const kid = text(item, 'kid') ?? '';
    const custody = exposureBehind(item, before).map((name) => CUSTODY[name] ?? name);
    const stood = objects(before?.record.body, 'keys').find((key) => text(key, 'kid') === kid);
    const state = text(stood, 'state') ?? '';
    const compromised = text(item, 'class') === 'compromise';
    return {
      was: `Signing key ${shortKid(kid)} of ${text(item, 'ring') ?? 'an unnamed ring'}: ${endsAKey(all) ? 'a responder asked to end it' : `this person ${custody.join(', ') || 'had custody of it'}`}`,
      done: compromised
        ? 'Distrusted at once, everybody else’s tokens signed again under another key, then refused for good'
        : 'Replaced by another key, everybody else’s tokens signed again under it, then refused for good',
      before: stood === undefined ? 'Not recorded' : `${state}: ${STATES[state] ?? 'as recorded'}`,
      after: describeTaint(seen),
    };
  },
  unplannable: ({ item }) => ({
    was: `On record, but nothing can be done about it: ${text(item, 'reason') ?? 'no reason given'}`,
    done: 'Left to people; it keeps the case open',
    before: 'As imported',
    after: 'Open',
  }),
  'rotate-again': (_facts, seen) => {
    const dueAt = whole(seen, 'dueAt');
    return {
      was: 'Sessions that were open when the person was contained',
      done: 'A linked case was opened to replace the signing key once more when all of them have expired',
      before: 'Not observed',
      after: dueAt === undefined ? 'No such case' : `A case is due at ${utc(dueAt)}`,
    };
  },
};

export function describeItem(facts: ItemFacts, all: CaseFacts): ItemWords {
  const seen = object((facts.observed ?? facts.done)?.record.body, 'observed');
  const describe = Object.hasOwn(WORDS, facts.kind) ? WORDS[facts.kind] : undefined;
  const words = describe?.(facts, seen, all) ?? {
    was: `An item of a kind this page has no words for: ${facts.kind}`,
    done: 'See the record',
    before: 'See the record',
    after: 'See the record',
  };
  if (seen === undefined) return { ...words, done: facts.done ? words.done : 'Nothing yet', after: 'Not observed yet' };
  return facts.observed ? words : { ...words, after: `${words.after} (as the step itself read it back)` };
}

/** Enough of a thumbprint to tell keys apart; records have all of it. */
export function shortKid(kid: string): string {
  return kid.length > 8 ? `${kid.slice(0, 8)}…` : kid;
}

function describeTaint(seen: Members | undefined): string {
  const sign = object(seen, 'sign');
  const standbys = objects(seen, 'standbys');
  const refused = standbys.filter(({ signed }) => signed === false).length;
  return [
    text(seen, 'state') ?? 'no state',
    ...(seen?.inJwks === false ? ['gone from the published keys'] : []),
    ...(seen?.inJwks === true ? ['still among the published keys'] : []),
    ...(sign === undefined
      ? []
      : [
          sign.signed === false
            ? `KMS refuses to sign with it (${text(sign, 'code') ?? 'no code'})`
            : 'KMS still signs with it',
        ]),
    ...(standbys.length === 0 ? [] : [`${refused} of ${standbys.length} keys in reserve refused to sign too`]),
  ].join('; ');
}

export function capital(said: string): string {
  return said.charAt(0).toUpperCase() + said.slice(1);
}
