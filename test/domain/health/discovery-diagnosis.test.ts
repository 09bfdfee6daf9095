/** The row `discovery` of the doctor: what a client finds that knows only `iss`. */
import { discovery, discoveryUrlOf, jwksAt } from '../../../lib/domain/feed/publication';
import { type DiscoveryFacts, diagnoseDiscovery } from '../../../lib/domain/health/discovery-diagnosis';
import { CFG, keyRecord, NOW, ringWith } from '../../support/rings';

const BASE = 'https://curfew.test';
const OURS = `${BASE}/r/customer-api/.well-known/jwks.json`;
const AT_ISS = `${CFG.iss}/.well-known/openid-configuration`;
const ring = ringWith();
const ok = (json: unknown) => ({ status: 200, body: JSON.stringify(json) });
const own = discovery(ring, BASE);
const looked = (discovered: DiscoveryFacts['discovered']) =>
  diagnoseDiscovery({ ring, at: NOW, publicBaseUrl: BASE, discovery: ok(own), discovered });

test('a client looks below iss, whether or not that ends with a slash', () => {
  expect([discoveryUrlOf(CFG.iss), discoveryUrlOf(`${CFG.iss}/`)]).toEqual([AT_ISS, AT_ISS]);
});

test('our document at iss is ok, and so is another one that leads to our keys, alone or among others', () => {
  const { keys } = jwksAt(ring, NOW);
  const other = { ...own, jwks_uri: 'https://id.shop.example/keys' };
  for (const discovered of [
    { document: ok(own) },
    { document: ok(other), jwks: ok({ keys }) },
    { document: ok(other), jwks: ok({ keys: [keyRecord(9).jwk, ...keys] }) },
  ])
    expect(looked(discovered)).toMatchObject({
      state: 'ok',
      found: `iss ${CFG.iss} leads clients to the keys of this ring`,
    });
});

test.each([
  ['nothing answers', { unreachable: 'nothing answered' }, 'nothing answered'],
  ['the name leads to a 404', { status: 404, body: '' }, 'answers 404'],
  ['it redirects, which not every client follows', { status: 302, body: '' }, 'answers 302'],
])('where nothing is served at iss, whether a service discovers is unknown, never ok: %s', (_what, document, why) => {
  expect(looked({ document })).toEqual({
    of: ring.id,
    check: 'discovery',
    state: 'unknown',
    found: `nothing at ${AT_ISS} (${why}): a client that discovers does not start`,
    fix: expect.stringContaining(`services that have jwks_uri ${OURS} by hand do not notice`),
  });
});

test.each([
  ['a page', { document: { status: 200, body: '<html>' } }, `at ${AT_ISS} the answer is not JSON`],
  ['null', { document: ok(null) }, `the document at ${AT_ISS} says that iss is undefined`],
  [
    'that of another issuer',
    { document: ok({ ...own, issuer: 'https://evil.example' }) },
    'says that iss is "https://evil.example"',
  ],
  [
    'one that leads to keys of others',
    { document: ok({ ...own, jwks_uri: 'https://evil.example' }), jwks: ok({ keys: [keyRecord(9).jwk] }) },
    'sends clients to "https://evil.example", where the keys of this ring are not',
  ],
  [
    'one that leads nowhere',
    { document: ok({ ...own, jwks_uri: 'https://evil.example' }), jwks: { unreachable: 'nothing answered' } },
    'sends clients to "https://evil.example"',
  ],
])('another document at iss is a problem: %s', (_what, discovered, found) => {
  expect(looked(discovered)).toMatchObject({ state: 'problem', found: expect.stringContaining(found) });
});
