/** A whole departure as records, with the token lists they commit to: two tainted keys, everything proved, closed. */

import { bundleListPath, listsOf } from '../../../lib/domain/audit/token-claims';
import { H, type Json } from '../../../lib/domain/base/encoding';
import { listContainment, type PrincipalRef } from '../../../lib/domain/cases/containment';
import { type Inventory, planCase } from '../../../lib/domain/cases/plan';
import type { EvidenceRecord, RecordType } from '../../../lib/domain/evidence/record';
import {
  describeTokenList,
  formatTokenList,
  type TokenDigest,
  tokenListKey,
} from '../../../lib/domain/evidence/token-list';
import { leafHash, merkleRoot } from '../../../lib/domain/tlog/merkle';

export const CASE = 'c-0123456789abcdefghijkl';
const T0 = 1_800_000_000;
const RING = 'customer-api';
export const LEGACY = 'legacy-kid';
export const OLD = 'old-kid';
export const NEW = 'new-kid';

export const PRINCIPALS: readonly PrincipalRef[] = [
  { ref: 'p0', type: 'subject', ring: RING },
  { ref: 'p1', type: 'iam-user', accessKeys: 1, exists: true, loginProfile: true },
  { ref: 'p2', type: 'kms-key' },
];
export const CONTAINMENT = listContainment(PRINCIPALS);
export const INVENTORY: Inventory = {
  firstItem: CONTAINMENT.length + 1,
  followUp: false,
  principals: PRINCIPALS,
  exposures: [
    { ref: 'e0', ring: RING, kid: LEGACY, class: 'copied-possible' },
    { ref: 'e1', ring: RING, class: 'could-deploy' },
  ],
  keys: [
    { ring: RING, kid: LEGACY, state: 'OBSERVED' },
    { ring: RING, kid: OLD, state: 'ACTIVE' },
  ],
};
export const PLAN = planCase(INVENTORY);

export const lists = new Map<string, string>();

/** Tokens n of a kid, in the shard of the first base64url character of their H(jti). */
export function commit(
  kid: string,
  names: readonly string[],
  at: number,
  into: Map<string, string> = lists,
): EvidenceRecord {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const shards = new Map<number, TokenDigest[]>();
  for (const name of names) {
    const jtiH = H(`jti ${name}`);
    const shard = alphabet.indexOf(jtiH.charAt(0));
    shards.set(shard, [...(shards.get(shard) ?? []), { jtiH, tokenSha256: H(`token ${kid} ${name}`) }]);
  }
  const entries = [...shards].map(([shard, tokens]) => {
    const text = formatTokenList(tokens);
    const entry = describeTokenList(shard, text);
    into.set(`lists/${kid}/${String(shard).padStart(2, '0')}/${entry.sha256}`, text);
    return entry;
  });
  return {
    v: 1,
    id: `issued/${kid}/${H(names.join())}`,
    type: 'tokens.issued',
    at,
    body: { kid, count: names.length, lists: entries },
  };
}

/** By docs/evidence-format.md's words: a root a shard over lines, a root over the shards' lines. */
function waveRoot(fromKid: string, toKid: string, names: readonly string[]): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const lines = names.map(
    (name) => `${H(`jti ${name}`)} ${H(`token ${fromKid} ${name}`)} ${H(`token ${toKid} ${name}`)}`,
  );
  const shards = [...new Set(lines.map((line) => alphabet.indexOf(line.charAt(0))))].map((shard) => {
    const held = lines.filter((line) => alphabet.indexOf(line.charAt(0)) === shard).sort();
    return `${String(shard).padStart(2, '0')} ${merkleRoot(held.map((line) => leafHash(Buffer.from(line)))).toString('base64url')}`;
  });
  return merkleRoot(shards.sort().map((line) => leafHash(Buffer.from(line)))).toString('base64url');
}

const ofCase = (name: string, type: RecordType, at: number, body: EvidenceRecord['body']): EvidenceRecord => ({
  v: 1,
  id: `${CASE}/${name}`,
  type,
  at: T0 + at,
  case: CASE,
  body,
});
let fence = 10;
const ofRing = (type: RecordType, at: number, body: EvidenceRecord['body']): EvidenceRecord => ({
  v: 1,
  id: `${RING}/${String(fence++).padStart(6, '0')}.0`,
  type,
  at: T0 + at,
  case: CASE,
  ring: RING,
  body,
});
const tokensOf = (prefix: string, n: number) => Array.from({ length: n }, (_, i) => `${prefix}${i}`);
const wave = (kid: string, names: readonly string[], source: number) => ({
  kid,
  wave: kid,
  fromKid: kid,
  toKid: NEW,
  cases: [CASE],
  passes: 2,
  source,
  done: names.length,
  excluded: { expired: source - names.length },
  root: waveRoot(kid, NEW, names),
});
const items = (all: readonly object[]) => all as unknown as Json;

/** What proves an item of each kind. */
const OBSERVED: Readonly<Record<string, EvidenceRecord['body']>> = {
  'cut-off': { blocked: true },
  latch: { exists: true, tagged: true, denied: true },
  'access-key': { status: 'Inactive' },
  'personal-key': { kmsState: 'Disabled' },
  'login-profile': { exists: false },
  taint: { state: 'DENIED', inJwks: false },
  'rotate-again': { followUp: 'c-next', dueAt: T0 + 43_200 },
};

/** In the order in which they happened, one record a step. */
export const RECORDS: readonly EvidenceRecord[] = [
  ofRing('ring.created', -1000, { alg: 'ES256' }),
  ofRing('key.adopted', -1000, { kid: LEGACY, kind: 'legacy' }),
  ofRing('key.adopted', -1000, { kid: OLD, kind: 'kms' }),
  ofRing('key.activated', -900, { kid: OLD }),
  ofRing('key.adopted', -800, { kid: NEW, kind: 'kms' }),
  commit(LEGACY, tokensOf('l', 5), T0 - 50),
  commit(OLD, tokensOf('o', 4), T0 - 40),
  ofCase('opened', 'case.opened', 0, { pseudonym: 'w-1', kind: 'termination' }),
  ofCase('listed', 'case.listed', 1, { n: 1, principals: items(PRINCIPALS), items: items(CONTAINMENT) }),
  ...CONTAINMENT.map(({ nn, kind }) => ofCase(`item/${nn}/contained`, 'item.contained', 2, { nn, kind })),
  ofCase('contained', 'case.contained', 3, { items: CONTAINMENT.length }),
  ofCase('inventory', 'case.inventory', 4, { ...(INVENTORY as unknown as EvidenceRecord['body']), sealed: 'v1.x.y' }),
  ofCase('planned', 'case.planned', 4, { items: items(PLAN) }),
  ofRing('key.tainted', 5, { kid: LEGACY, class: 'compromise', cases: [CASE], toKid: NEW }),
  ofRing('key.tainted', 5, { kid: OLD, class: 'planned', cases: [CASE], toKid: NEW }),
  ofRing('key.activated', 5, { kid: NEW, replaced: OLD }),
  commit(NEW, [...tokensOf('l', 4), ...tokensOf('o', 4)], T0 + 6),
  ofRing('wave.completed', 7, wave(LEGACY, tokensOf('l', 4), 5)),
  ofRing('key.denied', 7, { kid: LEGACY, cases: [CASE] }),
  ofRing('wave.completed', 8, wave(OLD, tokensOf('o', 4), 4)),
  ofRing('key.denied', 8, { kid: OLD, cases: [CASE] }),
  ...PLAN.map(({ nn, kind }) => ofCase(`item/${nn}/done`, 'item.done', 9, { nn, kind })),
  ofCase('followed-up', 'case.followed-up', 9, { followUp: 'c-next' }),
  ...[...CONTAINMENT, ...PLAN].map(({ nn, kind }) =>
    ofCase(`item/${nn}/proved`, 'item.proved', 10, { nn, kind, observed: OBSERVED[kind] ?? null }),
  ),
  ofCase('closed', 'case.closed', 11, { listings: 1, items: CONTAINMENT.length + PLAN.length }),
];

/** The lists as the committer stores them: key and text. */
export function storedLists(records: readonly EvidenceRecord[]): [string, string][] {
  return records
    .filter(({ type }) => type === 'tokens.issued')
    .flatMap((record) => {
      const { kid, entries } = listsOf(record);
      return entries.map((entry): [string, string] => [
        tokenListKey(kid, entry.shard, record.at, entry.sha256),
        lists.get(bundleListPath(kid, entry)) ?? '',
      ]);
    });
}

export const OTHER_CASE = 'c-other';
const COUNTED = 'counted-kid';

/**
 * A departure of somebody else, whose tainted key had a token with the jti of one of ours: the wave left it out. Its
 * lists go into `into`; `resigned: false` is the minute before the committer has run.
 */
export function otherWave(
  into: Map<string, string>,
  { resigned = true, excluded = { poison: 1 } }: { resigned?: boolean; excluded?: Record<string, number> } = {},
): EvidenceRecord[] {
  const tokens = commit(COUNTED, ['o0', 'c1', 'c2'], T0 - 30, into);
  const body = {
    ...wave(COUNTED, ['c1', 'c2'], 3),
    cases: [OTHER_CASE],
    excluded,
  };
  const completed = { ...ofRing('wave.completed', 20, body), case: OTHER_CASE };
  return [tokens, ...(resigned ? [commit(NEW, ['c1', 'c2'], T0 + 21, into)] : []), completed];
}

/** The records with one of them changed or left out. */
export function without(id: string): EvidenceRecord[] {
  return RECORDS.filter((record) => record.id !== id);
}

export function changed(
  match: (record: EvidenceRecord) => boolean,
  change: (record: EvidenceRecord) => object,
): EvidenceRecord[] {
  const found = RECORDS.filter(match).length;
  if (found !== 1) throw new Error(`the change is for one record, not ${found}`);
  return RECORDS.map((record) => (match(record) ? ({ ...record, ...change(record) } as EvidenceRecord) : record));
}
