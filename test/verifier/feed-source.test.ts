import fc from 'fast-check';
import type { Feed } from '../../lib/domain/keys/feed';
import { createVerifier } from '../../lib/verifier';
import { encode, signingKey } from '../support/keys';
import { FEED_LIFE, POLL, Published, verdict } from '../support/published';
import { NOW } from '../support/rings';

const elsewhere = signingKey();

/** A verifier that knows a DENIED kid, a SUSPECT kid, a cut-off and a good kid; and tokens that tell whether it still does. */
async function informed() {
  const published = new Published();
  const [denied, suspect] = [signingKey(), signingKey()];
  const past = [
    published.publish(),
    published.publish({ keys: [published.keyOf(published.key), published.keyOf(denied), published.keyOf(suspect)] }),
  ];
  const keys = [published.keyOf(published.key), published.keyOf(denied, 'DENIED'), published.keyOf(suspect, 'SUSPECT')];
  const cut = published.cut({ type: 'sub', value: 'leaver', notBefore: NOW + 10 ** 6, blocked: true });
  const genuine = published.publish({ keys, cut });
  const verifier = published.verifier();
  const tokens: [string, string][] = [
    [published.token(), 'accepted'],
    [published.token({}, {}, denied), 'ERR_TOKEN_KID_STATE'],
    [published.token({}, {}, suspect), 'ERR_TOKEN_NOT_ISSUED'],
    [published.token({ sub: 'leaver' }), 'ERR_TOKEN_CUT_OFF'],
    [published.token({}, {}, elsewhere), 'ERR_TOKEN_KID_UNKNOWN'],
  ];
  const verdicts = async () =>
    Object.fromEntries(
      await Promise.all(
        tokens.map(async ([token, expected], n) => [n, `${await verdict(verifier, token)} = ${expected}`]),
      ),
    );
  const unmoved = Object.fromEntries(tokens.map(([, expected], n) => [n, `${expected} = ${expected}`]));
  expect(await verdicts()).toEqual(unmoved);
  return { published, verifier, past, genuine, keys, cut, verdicts, unmoved };
}

/** Serves each document a poll after the other, and counts those that moved a verdict. */
async function accepted(
  documents: readonly string[],
  { published, genuine, verdicts, unmoved }: Awaited<ReturnType<typeof informed>>,
): Promise<number> {
  let moved = 0;
  for (const document of documents) {
    published.document = document;
    published.now += POLL;
    if (published.now > NOW + FEED_LIFE - 2 * POLL) published.now = NOW + POLL;
    if (JSON.stringify(await verdicts()) !== JSON.stringify(unmoved)) moved++;
  }
  published.document = genuine;
  return moved;
}

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
  expect(await accepted([...old, ...expired], world)).toBe(0);
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
  ['of another ring', (it) => it.sign({ ...it.last, ring: 'other-ring' }), 'the feed is of another ring'],
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
  ['that is over', (it) => it.sign({ ...it.last, exp: NOW - 1 }), 'the feed is not of this time'],
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
  const [[blinded, notBefore] = ['', 0]] = cut;
  const back: Partial<Feed>[] = [
    ...(['STANDBY', 'ACTIVE', 'VERIFY_ONLY', 'OBSERVED', 'SUSPECT'] as const).map((state) => ({
      keys: [good, { ...denied, state }, suspect] as Feed['keys'],
    })),
    ...(['STANDBY', 'ACTIVE', 'VERIFY_ONLY', 'OBSERVED'] as const).map((state) => ({
      keys: [good, denied, { ...suspect, state }] as Feed['keys'],
    })),
    { keys: [good, suspect] as Feed['keys'] },
    { cut: [] },
    { cut: [[blinded, notBefore - 1, true]] },
    { cut: [[blinded, 0, false]] },
    { keys: [good, denied, suspect, { ...denied, state: 'ACTIVE' }] as Feed['keys'] },
    { keys: 'none' as never },
    { v: 2 as never },
  ];
  const documents = back.map((change) => published.sign({ ...last, ...change, seq: last.seq + 1, iat: NOW + 1 }));
  expect(await accepted(documents, world)).toBe(0);
});

test('of 4,000 forged, spliced and altered documents none is followed', async () => {
  const world = await informed();
  const { published, past, genuine } = world;
  const wanted = {
    ...published.last,
    seq: 1000,
    keys: [...published.last.keys.map((key) => ({ ...key, state: 'ACTIVE' })), published.keyOf(elsewhere)],
    cut: [],
  };
  const parts = [
    ...past,
    genuine,
    published.sign(wanted, elsewhere),
    published.token(),
    published.token({}, {}, elsewhere),
  ].map((document) => document.split('.'));
  const part = (n: number) => fc.constantFrom(...parts.map((of) => of[n] as string));
  const header = (more: object) =>
    encode({ alg: 'ES256', kid: published.feedKey.jwk.kid, typ: 'curfew-feed+jwt', ...more });
  const headers = fc.constantFrom(
    header({}),
    header({ alg: 'none' }),
    header({ kid: elsewhere.jwk.kid }),
    header({ typ: 'at+jwt' }),
    header({ jwk: elsewhere.jwk }),
    header({ crit: [] }),
  );

  const spliced = fc.tuple(
    fc.oneof(part(0), headers),
    fc.oneof(part(1), fc.constant(encode(wanted))),
    fc.oneof(part(2), fc.constant(encode(Buffer.alloc(64, 1)))),
  );
  const signedByOthers = fc.tuple(headers, fc.nat(9)).map(([given, seq]) => {
    const document = published.sign(
      { ...wanted, seq: 1000 + seq },
      elsewhere,
      JSON.parse(Buffer.from(given, 'base64url').toString()),
    );
    return document.split('.');
  });
  const altered = fc
    .tuple(fc.constantFrom(...past, genuine), fc.nat(), fc.constantFrom('A', 'B', '=', '-', ' '))
    .map(([document, at, letter]) => {
      const n = at % document.length;
      return [document.slice(0, n) + letter + document.slice(n + 1)];
    });
  const tries = fc
    .sample(fc.oneof(spliced, signedByOthers, altered), { numRuns: 4000, seed: 7 })
    .map((given) => given.join('.'));
  expect(
    await accepted(
      tries.filter((document) => document !== genuine),
      world,
    ),
  ).toBe(0);
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
      message: 'there is no feed that still counts, so no token does',
      got: 1,
      fix: 'check that the feed can be reached',
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

  test('a storm of 20,000 unknown kids costs one request in 30 s, and good tokens are accepted throughout', async () => {
    const published = new Published();
    published.publish();
    const verifier = published.verifier({ pollSeconds: 60 });
    const token = published.token();
    const [, payload, signature] = token.split('.');
    const junk = (n: number) => `${encode({ alg: 'ES256', kid: `junk-${n}`, typ: 'at+jwt' })}.${payload}.${signature}`;
    const counts: Record<string, number> = {};
    for (let second = 0; second < 50; second++) {
      const verdicts = await Promise.all(
        Array.from({ length: 400 }, (_, n) => verdict(verifier, n % 20 === 0 ? token : junk(second * 400 + n))),
      );
      for (const code of verdicts) counts[code] = (counts[code] ?? 0) + 1;
      published.now++;
    }
    expect(counts).toEqual({ accepted: 1000, ERR_TOKEN_KID_UNKNOWN: 19_000 });
    // One at start, one for the first unknown kid, one 30 s later.
    expect(published.asked.feed).toBe(3);
    expect(published.asked.ledger).toBe(0);
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
    cause: { code: 'ERR_TOKEN_MALFORMED', message: 'a token is at most 67108864 bytes' },
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
