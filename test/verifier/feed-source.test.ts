import type { Feed } from '../../lib/domain/feed/feed';
import { createVerifier } from '../../lib/verifier';
import { counted, extent } from '../support/extent';
import { acceptedOf, elsewhere, informed, tryFeedAttacks } from '../support/feed-attacks';
import { signingKey } from '../support/keys';
import { kidStorm, UNKNOWN_KID_COOL_DOWN } from '../support/kid-storm';
import { FEED_LIFE, POLL, Published, verdict } from '../support/published';
import { NOW } from '../support/rings';

const say = (line: string) => process.stdout.write(`${line}\n`);
/** Documents of each of the ten kinds. */
const TRIES_EACH = extent(25, 1000);
/** Good tokens among them, for both shares come in each of its seconds. */
const STORM = { seconds: 60, junk: extent(4_000, 300_000), good: extent(360, 6000) };

test('documents of the past and expired ones are not followed', async () => {
  const world = await informed();
  const { published, past } = world;
  const { last } = published;
  const old = [
    ...past,
    ...[1, 2, 3].map((seq) => published.sign({ ...last, seq })),
    published.sign({ ...last, iat: NOW + 1 }),
  ];
  const expired = [
    published.sign({ ...last, seq: 99, exp: NOW - 1 }),
    published.sign({ ...last, seq: 99, keys: [published.keyOf(elsewhere)], cut: [], exp: NOW - 1 }),
  ];
  expect(await acceptedOf([...old, ...expired], world)).toBe(0);
});

test('a document from the future does not keep the documents of today from being followed', async () => {
  const published = new Published();
  published.publish();
  const verifier = published.verifier();
  const token = published.token();
  expect(await verdict(verifier, token)).toBe('accepted');
  const { last } = published;
  published.document = published.sign({ ...last, seq: 10 ** 9, iat: NOW + POLL + 31, exp: NOW + 10 ** 6 });
  published.now += POLL;
  expect(await verdict(verifier, token)).toBe('accepted');
  published.publish({ keys: published.inState('DENIED') });
  published.now += POLL;
  expect(await verdict(verifier, token)).toBe('ERR_TOKEN_KID_STATE');
});

test.each<[string, (published: Published) => string, string]>([
  ['of another ring', (it) => it.sign({ ...it.last, ring: 'other-ring' }), 'the feed names another ring'],
  [
    'of another typ',
    (it) => it.sign(it.last, it.feedKey, { typ: 'at+jwt' }),
    'the feed is not signed by a pinned feed key',
  ],
  [
    'under another alg',
    (it) => it.sign(it.last, it.feedKey, { alg: 'ES384' }),
    'the feed is not signed by a pinned feed key',
  ],
  ['by a key that is not pinned', (it) => it.sign(it.last, elsewhere), 'the feed is not signed by a pinned feed key'],
  [
    'by such a key under the pinned kid',
    (it) => it.sign(it.last, elsewhere, { kid: it.feedKey.jwk.kid }),
    'the signature of the feed does not verify',
  ],
  ['that is over', (it) => it.sign({ ...it.last, exp: NOW - 1 }), 'the feed is expired or from the future'],
])('a first document %s is refused, and nothing is accepted', async (_what, document, message) => {
  const published = new Published();
  published.publish();
  published.document = document(published);
  await expect(published.verifier().verify(published.token())).rejects.toMatchObject({
    code: 'ERR_FEED_EXPIRED',
    got: 'no feed yet',
    cause: { code: 'ERR_FEED_INVALID', message },
  });
});

test('a publisher that takes something back is not followed, though it holds the feed key', async () => {
  const world = await informed();
  const { published, keys, cut } = world;
  const { last } = published;
  const [good, denied, suspect] = keys;
  const [[blinded, notBefore] = ['', 0], ...others] = cut;
  const back: Partial<Feed>[] = [
    ...(['STANDBY', 'ACTIVE', 'VERIFY_ONLY', 'OBSERVED', 'SUSPECT'] as const).map((state) => ({
      keys: [good, { ...denied, state }, suspect] as Feed['keys'],
    })),
    ...(['STANDBY', 'ACTIVE', 'VERIFY_ONLY', 'OBSERVED'] as const).map((state) => ({
      keys: [good, denied, { ...suspect, state }] as Feed['keys'],
    })),
    { keys: [good, suspect] as Feed['keys'] },
    { cut: [] },
    { cut: [[blinded, notBefore - 1, true], ...others] },
    { cut: [[blinded, 0, false], ...others] },
    { keys: [good, denied, suspect, { ...denied, state: 'ACTIVE' }] as Feed['keys'] },
    { keys: 'none' as never },
    { v: 2 as never },
  ];
  const documents = back.map((change) => published.sign({ ...last, ...change, seq: last.seq + 1, iat: NOW + 1 }));
  expect(await acceptedOf(documents, world)).toBe(0);
});

test('of documents that take something back, by whatever means, none is followed', async () => {
  const tried = await tryFeedAttacks(TRIES_EACH);
  for (const { kind, tries, accepted } of tried) say(`feed attack: ${kind}: ${accepted} accepted of ${tries}`);
  expect(tried.map(({ tries }) => tries)).toEqual(Array(10).fill(TRIES_EACH));
  expect(tried.filter(({ accepted }) => accepted > 0)).toEqual([]);
});

test('a key pinned as the next one may sign, one that was not pinned may not', async () => {
  const published = new Published();
  const next = signingKey();
  published.publish();
  published.document = published.sign(published.last, next);
  expect(await verdict(published.verifier(), published.token())).toBe('ERR_FEED_EXPIRED');
  expect(await verdict(published.verifier({ feedKeys: [published.feedKey.jwk, next.jwk] }), published.token())).toBe(
    'accepted',
  );
});

describe('a feed that cannot be reached', () => {
  test('goes on counting until its exp, denials and all, and then nothing is accepted', async () => {
    const published = new Published();
    published.publish();
    const verifier = published.verifier();
    const token = published.token();
    expect(await verdict(verifier, token)).toBe('accepted');
    published.document = new Error('timeout');
    for (const later of [POLL, 60, FEED_LIFE - 1, FEED_LIFE]) {
      published.now = NOW + later;
      expect([later, await verdict(verifier, token)]).toEqual([later, 'accepted']);
    }
    published.now = NOW + FEED_LIFE + 1;
    await expect(verifier.verify(token)).rejects.toMatchObject({
      code: 'ERR_FEED_EXPIRED',
      message: 'no current feed: the last one expired 1 s ago',
      got: 1,
      fix: 'check that this service can reach the feed URL',
    });
    published.publish();
    published.now += POLL;
    expect(await verdict(verifier, token)).toBe('accepted');
  });

  test('from the start accepts nothing', async () => {
    const published = new Published();
    for (const document of [new Error('refused'), '', 'x', '{}', '<html>', 'a.b.c']) {
      published.document = document;
      await expect(published.verifier().verify(published.token())).rejects.toMatchObject({
        code: 'ERR_FEED_EXPIRED',
        got: 'no feed yet',
      });
    }
  });

  test('an expired feed is not revived by its own signature', async () => {
    const published = new Published();
    published.publish();
    published.now = NOW + FEED_LIFE + 1;
    expect(await verdict(published.verifier(), published.token())).toBe('ERR_FEED_EXPIRED');
  });
});

describe('asking', () => {
  test('steady traffic asks once a poll, and a thousand callers at once ask once', async () => {
    const published = new Published();
    published.publish();
    const verifier = published.verifier();
    const token = published.token();
    await Promise.all(Array.from({ length: 1000 }, () => verifier.verify(token)));
    expect(published.asked.feed).toBe(1);
    for (let second = 0; second < 60; second++) {
      published.now++;
      await verifier.verify(token);
    }
    expect(published.asked.feed).toBe(1 + 60 / POLL);
  });

  test('a storm of unknown kids in a minute costs one request a cool-down, and good tokens are accepted', async () => {
    const { verdicts, fetches, ledger } = await kidStorm(STORM);
    expect(verdicts).toEqual({ accepted: STORM.good, ERR_TOKEN_KID_UNKNOWN: STORM.junk });
    // One at the start, one for the first unknown kid, one when its cool-down is over.
    expect(fetches).toBe(1 + 60 / UNKNOWN_KID_COOL_DOWN);
    expect(ledger).toBe(0);
    say(
      `unknown-kid storm: ${counted(STORM.junk)} in 60 s, ${fetches - 1} fetches beside the first, ${verdicts.accepted} of ${STORM.good} good tokens accepted`,
    );
  });

  test('a storm of unknown kids does not use up what a well-signed token of a new window may ask for', async () => {
    const published = new Published();
    published.publish({ keys: published.inState('STANDBY', { windows: [] }) });
    const verifier = published.verifier({ pollSeconds: 60 });
    const token = published.token();
    const junk = published.token({}, { kid: 'junk' });
    for (let n = 0; n < 10; n++) await verdict(verifier, junk);
    published.publish({ keys: published.inState('ACTIVE') });
    published.now++;
    expect(await verdict(verifier, junk)).toBe('ERR_TOKEN_KID_UNKNOWN');
    expect(await verdict(verifier, token)).toBe('accepted');
  });

  test('a badly signed token asks nothing, whatever is wrong with its kid’s state or window', async () => {
    const published = new Published();
    for (const key of [
      published.inState('STANDBY'),
      published.inState('ACTIVE', { windows: [] }),
      published.inState('SUSPECT'),
    ]) {
      published.publish({ keys: key });
      const verifier = published.verifier();
      await verdict(verifier, published.token());
      published.now += 2;
      const before = { ...published.asked };
      expect(await verdict(verifier, published.token().slice(0, -4))).toMatch(/^ERR_TOKEN_(SIGNATURE|MALFORMED)$/);
      expect(published.asked).toEqual(before);
    }
  });
});

describe('a change younger than the poll', () => {
  const CASES: [string, Partial<Feed['keys'][number]> & { state: 'STANDBY' | 'ACTIVE' }][] = [
    ['an activation', { state: 'STANDBY', windows: [] }],
    ['the window of a wave', { state: 'ACTIVE', windows: [{ iatFrom: NOW - 9000, iatTo: NOW - 8000 }] }],
    ['a longer verifyUntil', { state: 'ACTIVE', verifyUntil: NOW - 1 }],
  ];
  test.each(CASES)('%s: a good token is not refused for it', async (_what, { state, ...before }) => {
    const published = new Published();
    published.publish({ keys: published.inState(state, before) });
    const verifier = published.verifier({ pollSeconds: 60 });
    expect(await verdict(verifier, published.token())).not.toBe('accepted');
    published.publish({ keys: published.inState('ACTIVE') });
    published.now++;
    expect(await verdict(verifier, published.token())).toBe('accepted');
  });

  test('a kid that was never heard of is asked for', async () => {
    const published = new Published();
    published.publish({ keys: [] });
    const verifier = published.verifier({ pollSeconds: 60 });
    await verdict(verifier, 'a.b.c');
    published.publish({ keys: published.inState('ACTIVE') });
    expect(await verdict(verifier, published.token())).toBe('accepted');
  });

  test('a denial or a cut-off takes effect at the next poll, and at once where something else made us ask', async () => {
    const published = new Published();
    published.publish();
    const verifier = published.verifier();
    const token = published.token();
    expect(await verdict(verifier, token)).toBe('accepted');
    published.publish({ cut: published.cut({ type: 'sub', value: 'member-1', notBefore: NOW, blocked: true }) });
    published.now += POLL;
    expect(await verdict(verifier, token)).toBe('ERR_TOKEN_CUT_OFF');
  });
});

describe('two answers under way at once', () => {
  /** Each request of the feed waits until the test answers it. */
  function manual(published: Published) {
    const waiting: ((document: string) => void)[] = [];
    const fetchText = () => new Promise<string>((resolve) => waiting.push(resolve));
    return { waiting, verifier: published.verifier({ fetchText }) };
  }

  test.each([
    ['one after the other', true],
    ['at the same instant', false],
  ])('%s: the older never replaces the newer', async (_how, apart) => {
    const published = new Published();
    const { waiting, verifier } = manual(published);
    const first = verdict(verifier, published.token());
    waiting[0]?.(published.publish());
    expect(await first).toBe('accepted');

    published.now += POLL;
    const token = published.token();
    const older = published.next();
    const newer = published.next({ keys: published.inState('DENIED') });
    const polled = [verdict(verifier, token)];
    published.now += POLL;
    polled.push(verdict(verifier, token));
    expect(waiting).toHaveLength(3);
    waiting[2]?.(newer);
    if (apart) await new Promise(setImmediate);
    waiting[1]?.(older);
    await Promise.all(polled);
    await new Promise(setImmediate);
    expect(await verdict(verifier, token)).toBe('ERR_TOKEN_KID_STATE');
  });
});

test('a pinned feed key that is no public key is refused when the verifier is made', () => {
  const published = new Published();
  const private_ = { ...published.feedKey.privateKey.export({ format: 'jwk' }), alg: 'ES256' };
  expect(() => published.verifier({ feedKeys: [private_ as never] })).toThrow(
    expect.objectContaining({ code: 'ERR_CONFIG_INVALID', message: 'the JWK holds a private key' }),
  );
});

test('a feed of 20,000 cut-offs is followed, and one beyond 64 MiB is not read', async () => {
  const published = new Published();
  const cut = Array.from({ length: 20_000 }, (_, n) => [`blinded-${n}`, NOW, true] as const);
  published.publish({ cut });
  expect(await verdict(published.verifier(), published.token())).toBe('accepted');
  published.document = 'a'.repeat(64 * 1024 * 1024 + 1);
  await expect(published.verifier().verify(published.token())).rejects.toMatchObject({
    code: 'ERR_FEED_EXPIRED',
    cause: { code: 'ERR_TOKEN_MALFORMED', message: 'the token is larger than 67108864 bytes' },
  });
});

test('without a fetch of its own a verifier asks the network, and says so when there is none', async () => {
  const published = new Published();
  const ring = { ring: 'customer-api', issuer: 'https://i.example', audience: 'a', pepper: 'p', maxTtlSeconds: 60 };
  const verifier = createVerifier({ ...ring, feedKeys: [published.feedKey.jwk], publicBaseUrl: 'http://127.0.0.1:1' });
  await expect(verifier.verify(published.token())).rejects.toMatchObject({
    code: 'ERR_FEED_EXPIRED',
    got: 'no feed yet',
    cause: { message: 'fetch failed' },
  });
});
