/** reference: verify, in this order. Of two things wrong with a token, the earlier rule is the one that names it. */
import { createHmac, createPublicKey } from 'node:crypto';
import { encode, signingKey, signJws, withOtherS } from '../support/keys';
import { Published, verdict } from '../support/published';
import { NOW } from '../support/rings';

const stranger = signingKey();

/** One thing wrong: what it does to the header, the claims, the finished token or the feed. */
interface Defect {
  readonly code: string;
  readonly message?: string;
  readonly header?: object;
  readonly claims?: object;
  readonly token?: (token: string) => string;
  readonly feed?: (published: Published) => void;
}

const setKey = (
  published: Published,
  more: Parameters<Published['inState']>[1],
  state: Parameters<Published['inState']>[0] = 'ACTIVE',
) => {
  const [known] = published.last.keys;
  published.publish({
    keys: published.inState(known && known.state !== 'ACTIVE' ? known.state : state, {
      windows: known?.windows,
      verifyUntil: known?.verifyUntil,
      ...more,
    }),
  });
};

const DEFECTS: readonly (Defect & { readonly what: string })[] = [
  {
    what: 'it has four parts',
    code: 'ERR_TOKEN_MALFORMED',
    message: 'the token does not have three parts',
    token: (token) => `${token}.x`,
  },
  {
    what: 'its header has crit',
    code: 'ERR_TOKEN_HEADER',
    message: 'the header has other members than alg, kid and typ',
    header: { crit: ['exp'] },
  },
  {
    what: 'its kid is of no key',
    code: 'ERR_TOKEN_KID_UNKNOWN',
    message: 'the ring has no key with this kid',
    header: { kid: 'nobody' },
  },
  {
    what: 'its typ is that of another kind',
    code: 'ERR_TOKEN_HEADER',
    message: 'alg or typ is not that of the key',
    header: { typ: 'JWT' },
  },
  {
    what: 'its kid is DENIED',
    code: 'ERR_TOKEN_KID_STATE',
    message: 'the key is DENIED',
    feed: (published) => setKey(published, {}, 'DENIED'),
  },
  {
    what: 'its signature is the other half',
    code: 'ERR_TOKEN_SIGNATURE',
    message: 'signature verification failed',
    token: (token) => (token.split('.').length === 3 ? withOtherS(token) : token),
  },
  {
    what: 'its key is past verifyUntil',
    code: 'ERR_TOKEN_KID_STATE',
    message: 'the key is ACTIVE',
    feed: (published) => setKey(published, { verifyUntil: NOW - 1 }),
  },
  {
    what: 'its audience is another',
    code: 'ERR_TOKEN_CLAIM',
    message: '"aud" claim check failed',
    claims: { aud: 'https://other.example' },
  },
  {
    what: 'it is over',
    code: 'ERR_TOKEN_EXPIRED',
    message: 'the token is past its exp',
    claims: { iat: NOW - 3600, exp: NOW - 31 },
  },
  {
    what: 'its iat is in no window',
    code: 'ERR_TOKEN_WINDOW',
    message: 'the key did not issue at the iat of the token',
    feed: (published) => setKey(published, { windows: [] }),
  },
  {
    what: 'its client was cut off',
    code: 'ERR_TOKEN_CUT_OFF',
    message: 'the client of the token was cut off',
    feed: (published) => published.publish({ cut: published.cut({ type: 'client', value: 'web', notBefore: NOW }) }),
  },
  {
    what: 'nobody issued it',
    code: 'ERR_TOKEN_NOT_ISSUED',
    message: 'the ledger never issued this token',
    feed: (published) => setKey(published, {}, 'SUSPECT'),
  },
];

async function judged(...defects: readonly Defect[]): Promise<{ code: string; message: string; ledger: number }> {
  const published = new Published();
  published.publish();
  for (const { feed } of defects) feed?.(published);
  const header = Object.assign({}, ...defects.map((defect) => defect.header));
  const claims = Object.assign({}, ...defects.map((defect) => defect.claims));
  const token = defects.reduce((so, defect) => defect.token?.(so) ?? so, published.token(claims, header));
  try {
    await published.verifier().verify(token);
    return { code: 'accepted', message: '', ledger: published.asked.ledger };
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    return { code, message, ledger: published.asked.ledger };
  }
}

test('with nothing wrong a token is accepted, and no ledger is asked', async () => {
  expect(await judged()).toEqual({ code: 'accepted', message: '', ledger: 0 });
});

test.each(DEFECTS.map((defect, n) => [defect.what, defect, n] as const))(
  'a token is refused when %s',
  async (_what, { code, message }, n) => {
    expect(await judged(DEFECTS[n] as Defect)).toEqual({
      code,
      message,
      ledger: code === 'ERR_TOKEN_NOT_ISSUED' ? 1 : 0,
    });
  },
);

test('of two things wrong the earlier one refuses, and the ledger is asked only for the last', async () => {
  const states = ['ERR_TOKEN_KID_STATE', 'ERR_TOKEN_NOT_ISSUED'];
  for (const [n, first] of DEFECTS.entries())
    for (const second of DEFECTS.slice(n + 1)) {
      // One key has one state: DENIED and SUSPECT cannot both be wrong with it.
      if (first.message === 'the key is DENIED' && states.includes(second.code)) continue;
      const { code, ledger } = await judged(first, second);
      expect([first.what, second.what, code, ledger]).toEqual([first.what, second.what, first.code, 0]);
    }
});

describe('algorithm confusion', () => {
  const published = new Published();
  published.publish();
  const { jwk } = published.key;
  const publicKey = createPublicKey(published.key.privateKey);
  const secrets = [
    JSON.stringify(jwk),
    Buffer.from(jwk.x ?? '', 'base64url'),
    Buffer.concat([Buffer.from(jwk.x ?? '', 'base64url'), Buffer.from(jwk.y ?? '', 'base64url')]),
    publicKey.export({ format: 'pem', type: 'spki' }),
    publicKey.export({ format: 'der', type: 'spki' }),
    jwk.kid,
    '',
  ];
  const hmac = (secret: string | Buffer, header: object) => {
    const input = `${encode(header)}.${encode(published.claims())}`;
    return `${input}.${encode(createHmac('sha256', secret).update(input).digest())}`;
  };

  test('a MAC with the public key as its secret is refused, under any alg it names', async () => {
    for (const secret of secrets)
      for (const alg of ['HS256', 'ES256', 'HS512', 'none'])
        expect([alg, await verdict(published.verifier(), hmac(secret, { alg, kid: jwk.kid, typ: 'at+jwt' }))]).toEqual([
          alg,
          alg === 'ES256' ? 'ERR_TOKEN_SIGNATURE' : 'ERR_TOKEN_HEADER',
        ]);
  });

  test('none, in any case, with and without a signature, is refused', async () => {
    for (const alg of ['none', 'None', 'NONE', 'nOnE', '', ' none']) {
      const input = `${encode({ alg, kid: jwk.kid, typ: 'at+jwt' })}.${encode(published.claims())}`;
      expect(await verdict(published.verifier(), `${input}.`)).toBe('ERR_TOKEN_MALFORMED');
      expect(await verdict(published.verifier(), `${input}.${encode('x')}`)).toBe('ERR_TOKEN_HEADER');
    }
  });

  test.each(['ES384', 'RS256', 'PS256', 'EdDSA'] as const)(
    'a key of the attacker under %s and our kid is refused',
    async (alg) => {
      const attacker = signingKey(alg);
      for (const named of [alg, 'ES256']) {
        const token = signJws(attacker, { alg: named, kid: jwk.kid, typ: 'at+jwt' }, published.claims());
        expect(await verdict(published.verifier(), token)).toBe(
          named === 'ES256' ? 'ERR_TOKEN_SIGNATURE' : 'ERR_TOKEN_HEADER',
        );
      }
    },
  );

  test('the key in the token is not the key of the token', async () => {
    for (const member of [{ jwk: stranger.jwk }, { jku: 'https://evil.example/jwks.json' }, { x5c: ['MII'] }])
      expect(
        await verdict(
          published.verifier(),
          signJws(stranger, { alg: 'ES256', kid: jwk.kid, typ: 'at+jwt', ...member }, published.claims()),
        ),
      ).toBe('ERR_TOKEN_HEADER');
  });

  test.each(['ES384', 'RS256', 'PS256', 'EdDSA'] as const)('a ring of %s keys verifies its own', async (alg) => {
    const key = signingKey(alg);
    published.publish({ keys: [published.keyOf(key)] });
    expect(await verdict(published.verifier(), published.token({}, {}, key))).toBe('accepted');
  });
});

describe('whoever is named in a token can end it', () => {
  const act = { sub: 'agent', act: { sub: 'agent-2' } };
  test.each([
    ['sub', 'member-1'],
    ['act', 'agent'],
    ['act', 'agent-2'],
    ['client', 'web'],
  ] as const)(
    'the %s %s: tokens of the second of the cut-off and before are refused, later ones are not',
    async (type, value) => {
      const published = new Published();
      published.publish({ cut: published.cut({ type, value, notBefore: NOW }) });
      const verifier = published.verifier();
      const at = (iat: number) => verdict(verifier, published.token({ act, iat, exp: iat + 60 }));
      expect([await at(NOW - 1), await at(NOW), await at(NOW + 1)]).toEqual([
        'ERR_TOKEN_CUT_OFF',
        'ERR_TOKEN_CUT_OFF',
        'accepted',
      ]);
      published.publish({ cut: published.cut({ type, value, notBefore: NOW, blocked: true }) });
      published.now += 5;
      expect(await at(NOW + 1)).toBe('ERR_TOKEN_CUT_OFF');
    },
  );

  test('a cut-off under another pepper or another type ends nothing', async () => {
    const published = new Published();
    published.publish({ cut: published.cut({ type: 'client', value: 'member-1', notBefore: NOW, blocked: true }) });
    expect(await verdict(published.verifier(), published.token())).toBe('accepted');
  });
});

describe('windows', () => {
  const wave = { wave: 'old', iatFrom: NOW - 2000, iatTo: NOW - 1000 };
  test('the signing window forgives the skew, a wave’s window forgives nothing', async () => {
    const published = new Published();
    published.publish({ keys: published.inState('ACTIVE', { windows: [{ iatFrom: NOW - 100, iatTo: NOW }, wave] }) });
    const verifier = published.verifier();
    const at = (iat: number) => verdict(verifier, published.token({ iat, exp: NOW + 60 }));
    for (const iat of [NOW - 130, NOW + 30, NOW - 2000, NOW - 1000])
      expect([iat, await at(iat)]).toEqual([iat, 'accepted']);
    for (const iat of [NOW - 131, NOW - 2001, NOW - 999])
      expect([iat, await at(iat)]).toEqual([iat, 'ERR_TOKEN_WINDOW']);
  });
});
