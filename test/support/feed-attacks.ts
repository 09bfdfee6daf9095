/**
 * Documents that take something back, by how they do it, and a verifier that has seen what they deny. Two kinds of
 * attacker: one who can only serve (old, cut and mixed documents), and a publisher who turned bad and holds the feed key.
 */
import type { Feed, FeedKey } from '../../lib/domain/feed/feed';
import { encode, signingKey } from './keys';
import { FEED_LIFE, POLL, Published, verdict } from './published';
import { NOW } from './rings';
import { seeded, seedFor } from './seeded';

export const elsewhere = signingKey();

export type Informed = Awaited<ReturnType<typeof informed>>;

/** A verifier that knows a DENIED kid, a SUSPECT kid, a cut-off and a good kid; and tokens that tell whether it still does. */
export async function informed() {
  const published = new Published();
  const [denied, suspect] = [signingKey(), signingKey()];
  const past = [
    published.publish(),
    published.publish({ keys: [published.keyOf(published.key), published.keyOf(denied), published.keyOf(suspect)] }),
  ];
  const keys = [published.keyOf(published.key), published.keyOf(denied, 'DENIED'), published.keyOf(suspect, 'SUSPECT')];
  const cut = published.cut(
    { type: 'sub', value: 'leaver', notBefore: NOW + 10 ** 6, blocked: true },
    { type: 'sub', value: 'blocked only', notBefore: 0, blocked: true },
    { type: 'sub', value: 'cut off only', notBefore: NOW + 10 ** 6 },
  );
  const genuine = published.publish({ keys, cut });
  const verifier = published.verifier();
  const tokens: [string, string][] = [
    [published.token(), 'accepted'],
    [published.token({}, {}, denied), 'ERR_TOKEN_KID_STATE'],
    [published.token({}, {}, suspect), 'ERR_TOKEN_NOT_ISSUED'],
    ...['leaver', 'blocked only', 'cut off only'].map((sub): [string, string] => [
      published.token({ sub }),
      'ERR_TOKEN_CUT_OFF',
    ]),
    [published.token({}, {}, elsewhere), 'ERR_TOKEN_KID_UNKNOWN'],
  ];
  /** Those whose verdict is another one than the genuine feed's. */
  const moved = async () => {
    const verdicts = await Promise.all(tokens.map(([token]) => verdict(verifier, token)));
    return verdicts.filter((given, n) => given !== tokens[n]?.[1]);
  };
  const first = await moved();
  if (first.length > 0) throw new Error(`the verifier does not start well informed: ${first.join()}`);
  return { published, verifier, past, genuine, keys, cut, moved };
}

/** Serves each document a poll after the other, and counts those that moved a verdict. */
export async function acceptedOf(
  documents: Iterable<string>,
  { published, genuine, moved }: Informed,
): Promise<number> {
  let accepted = 0;
  for (const document of documents) {
    published.document = document;
    published.now += POLL;
    if (published.now > NOW + FEED_LIFE - 2 * POLL) published.now = NOW + POLL;
    if ((await moved()).length > 0) accepted++;
  }
  published.document = genuine;
  return accepted;
}

type Draw = () => number;
const one = <T>(from: readonly T[], draw: Draw): T => from[Math.floor(draw() * from.length)] as T;

/** The n-th document of a kind. `last` is what the verifier follows; a bad publisher signs what should come after it. */
export const FEED_ATTACKS: Readonly<Record<string, (world: Informed, draw: Draw) => string>> = {
  rollback: ({ published, past }, draw) =>
    draw() < 0.2
      ? one(past, draw)
      : published.sign({ ...published.last, ...openTo(published), seq: Math.floor(draw() * published.last.seq) }),
  'same seq, other content': ({ published }, draw) =>
    published.sign({ ...published.last, ...openTo(published), iat: NOW + 1 + Math.floor(draw() * POLL) }),
  splice: ({ published, past, genuine }, draw) => {
    const wanted = next(published, openTo(published), draw);
    const documents = [...past, genuine, published.sign(wanted, elsewhere), published.token()];
    const parts = [0, 1, 2].map((n) => one(documents, draw).split('.')[n] as string);
    if (draw() < 0.5) parts[1] = encode(wanted);
    return parts.join('.') === genuine ? `${genuine}.` : parts.join('.');
  },
  alteration: ({ past, genuine }, draw) => {
    const document = one([...past, genuine], draw);
    const at = Math.floor(draw() * document.length);
    const letter = one(
      ['A', 'B', '=', '-', ' '].filter((given) => given !== document[at]),
      draw,
    );
    return document.slice(0, at) + letter + document.slice(at + 1);
  },
  'another signer': ({ published }, draw) =>
    published.sign(
      next(published, openTo(published), draw),
      elsewhere,
      one([{}, { kid: published.feedKey.jwk.kid }, { jwk: elsewhere.jwk }, { crit: [] }, { typ: 'at+jwt' }], draw),
    ),
  expiry: ({ published }, draw) =>
    published.sign({ ...next(published, openTo(published), draw), exp: NOW - Math.floor(draw() * 10 ** 6) }),
  'DENIED back': ({ published, keys }, draw) =>
    published.sign(
      next(
        published,
        { keys: restated(keys, 1, ['STANDBY', 'ACTIVE', 'VERIFY_ONLY', 'OBSERVED', 'SUSPECT'], draw) },
        draw,
      ),
    ),
  'SUSPECT back': ({ published, keys }, draw) =>
    published.sign(
      next(published, { keys: restated(keys, 2, ['STANDBY', 'ACTIVE', 'VERIFY_ONLY', 'OBSERVED'], draw) }, draw),
    ),
  'cut-off lowered': ({ published, cut }, draw) => {
    const lower = cut.map(
      ([blinded, notBefore, blocked]) => [blinded, Math.floor(draw() * notBefore), blocked] as const,
    );
    return published.sign(next(published, { cut: draw() < 0.2 ? [] : lower }, draw));
  },
  unblocking: ({ published, cut }, draw) => {
    const open = cut.map(([blinded, notBefore]) => [blinded, notBefore, false] as const);
    return published.sign(next(published, { cut: open }, draw));
  },
};

/** So many tries of each kind, each against a verifier of its own. */
export async function tryFeedAttacks(triesEach: number): Promise<{ kind: string; tries: number; accepted: number }[]> {
  const tried = [];
  for (const [kind, attack] of Object.entries(FEED_ATTACKS)) {
    const world = await informed();
    const draw = seeded(seedFor(`feed attack: ${kind}`));
    const documents = Array.from({ length: triesEach }, () => attack(world, draw));
    tried.push({ kind, tries: documents.length, accepted: await acceptedOf(documents, world) });
  }
  return tried;
}

/** What an attacker would like verifiers to believe. */
function openTo(published: Published): Partial<Feed> {
  const keys = published.last.keys.map((key): FeedKey => ({ ...key, state: 'ACTIVE' }));
  return { keys: [...keys, published.keyOf(elsewhere)], cut: [] };
}

function next(published: Published, change: Partial<Feed>, draw: Draw): Feed {
  return { ...published.last, ...change, seq: published.last.seq + 1 + Math.floor(draw() * 1000), iat: NOW + 1 };
}

/** The n-th key in another state, or gone. */
function restated(keys: readonly FeedKey[], n: number, states: readonly FeedKey['state'][], draw: Draw): FeedKey[] {
  if (n === 1 && draw() < 0.2) return keys.filter((_key, at) => at !== n);
  return keys.map((key, at) => (at === n ? { ...key, state: one(states, draw) } : key));
}
