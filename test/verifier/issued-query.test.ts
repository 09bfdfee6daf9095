import { signingKey } from '../support/keys';
import { POLL, Published, verdict } from '../support/published';

function suspect() {
  const published = new Published();
  published.publish({ keys: published.inState('SUSPECT') });
  return { published, verifier: published.verifier() };
}

test('under a SUSPECT kid the exact token that was issued is accepted, and its clone by the stolen key is not', async () => {
  const { published, verifier } = suspect();
  const genuine = published.record(published.token());
  const clone = published.token();
  expect(clone).not.toBe(genuine);
  expect([await verdict(verifier, genuine), await verdict(verifier, clone)]).toEqual([
    'accepted',
    'ERR_TOKEN_NOT_ISSUED',
  ]);
});

test('the ledger is asked once for a token within a poll, however many ask, and again after it', async () => {
  const { published, verifier } = suspect();
  const token = published.record(published.token());
  await Promise.all(Array.from({ length: 500 }, () => verifier.verify(token)));
  expect(published.asked.ledger).toBe(1);
  published.now += POLL - 1;
  await verifier.verify(token);
  expect(published.asked.ledger).toBe(1);
  published.now += 1;
  await verifier.verify(token);
  expect(published.asked.ledger).toBe(2);
});

test('a no is remembered as long as a yes', async () => {
  const { published, verifier } = suspect();
  const token = published.token();
  for (let n = 0; n < 10; n++) expect(await verdict(verifier, token)).toBe('ERR_TOKEN_NOT_ISSUED');
  expect(published.asked.ledger).toBe(1);
});

test.each(['is down', 'talks nonsense'] as const)(
  'a ledger that %s refuses the token, and is asked again by the next one',
  async (how) => {
    const { published, verifier } = suspect();
    const token = published.record(published.token());
    published.ledger = how;
    await expect(verifier.verify(token)).rejects.toMatchObject({
      code: 'ERR_UNAVAILABLE',
      message: 'the ledger did not answer, so the verifier refuses the token',
    });
    published.ledger = 'answers';
    expect(await verdict(verifier, token)).toBe('accepted');
  },
);

test('an answer does not outlive a cut-off: it is judged by the feed each time', async () => {
  const { published, verifier } = suspect();
  const token = published.record(published.token());
  expect(await verdict(verifier, token)).toBe('accepted');
  published.publish({
    cut: published.cut({ type: 'sub', value: 'member-1', notBefore: published.now, blocked: true }),
  });
  published.now += POLL;
  expect(await verdict(verifier, token)).toBe('ERR_TOKEN_CUT_OFF');
});

test('requireIssued asks for every token of every kid', async () => {
  const published = new Published();
  published.publish();
  const verifier = published.verifier({ requireIssued: true });
  expect(await verdict(verifier, published.token())).toBe('ERR_TOKEN_NOT_ISSUED');
  expect(await verdict(verifier, published.record(published.token()))).toBe('accepted');
});

test('a storm of forgeries under a SUSPECT kid leaves good tokens of other kids alone', async () => {
  const { published, verifier } = suspect();
  const good = signingKey();
  published.publish({ keys: [...published.last.keys, published.keyOf(good)] });
  published.ledger = 'is down';
  const storm = Array.from({ length: 300 }, (_, n) =>
    n % 3 === 0 ? published.token({ jti: `g-${n}` }, {}, good) : published.token({ jti: `f-${n}` }),
  );
  const verdicts = await Promise.all(storm.map((token) => verdict(verifier, token)));
  expect(verdicts.filter((_, n) => n % 3 === 0)).toEqual(Array(100).fill('accepted'));
  expect(new Set(verdicts.filter((_, n) => n % 3 !== 0))).toEqual(new Set(['ERR_UNAVAILABLE']));
  expect(published.asked.feed).toBe(1);
});

test('the URL of the question holds digests and a kid, and nothing of the token', async () => {
  const { published } = suspect();
  const urls: string[] = [];
  const verifier = published.verifier({
    fetchText: (url) => {
      urls.push(url);
      return published.fetchText(url);
    },
  });
  await verdict(verifier, published.token({ jti: '../../secret?x=1#y' }));
  expect(urls.at(-1)).toMatch(/^https:\/\/curfew\.test\/issued\/[\w-]{43}\/[\w-]{43}\/[\w-]{43}$/);
});
