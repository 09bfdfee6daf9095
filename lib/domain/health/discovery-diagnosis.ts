/**
 * What `curfew doctor` makes of discovery: what a client finds that knows only `iss`, as OpenID Connect Discovery 1.0 has
 * it, section 4. Our own document at the public base URL says what it should find there.
 */
import { canonicalJson, type Json } from '../base/encoding';
import { discovery, discoveryUrlOf, jwksAt } from '../feed/publication';
import type { Ring } from '../rings/ring';
import { answersOf, type Finding } from './finding';

/** An answer of a public endpoint, whatever it was. */
export type Served = { readonly status: number; readonly body: string } | { readonly unreachable: string };

export interface DiscoveryFacts {
  readonly ring: Ring;
  /** Epoch seconds at which it was looked at. */
  readonly at: number;
  readonly publicBaseUrl: string;
  /** Our own document, at the public base URL. */
  readonly discovery: Served;
  /** What a client finds that starts at `iss`. */
  readonly discovered: {
    readonly document: Served;
    /** At the document's `jwks_uri`, where that is not ours. */
    readonly jwks?: Served;
  };
}

export function diagnoseDiscovery(facts: DiscoveryFacts): Finding {
  const { ring, discovery: served, discovered, publicBaseUrl } = facts;
  const { ok, problem, unknown } = answersOf(ring.id);
  const expected = discovery(ring, publicBaseUrl);
  const own = wrongIn(served, expected);
  if (own !== undefined) return problem('discovery', own, 'check publicBaseUrl and the CDN or proxy before it');

  const url = discoveryUrlOf(ring.cfg.iss);
  const ways = `let ${url} serve what ${publicBaseUrl}/r/${ring.id}/.well-known/openid-configuration serves`;
  const byHand = `services that have jwks_uri ${expected.jwks_uri} by hand do not notice`;
  const { document } = discovered;
  // Whether any service discovers is what nobody can see from here.
  if ('unreachable' in document || document.status !== 200)
    return unknown(
      'discovery',
      `nothing at ${url} (${whyNot(document)}): a client that discovers does not start`,
      `${ways}; ${byHand}`,
    );
  const parsed = documentOf(document);
  if ('refused' in parsed)
    return problem(
      'discovery',
      `at ${url} ${parsed.refused}: a client that discovers does not start`,
      `${ways}; ${byHand}`,
    );
  const { issuer, jwks_uri } = membersOf(parsed.json);
  if (issuer !== ring.cfg.iss)
    return problem(
      'discovery',
      `the document at ${url} says that iss is ${JSON.stringify(issuer)}: a client that discovers refuses it`,
      `${ways}; ${byHand}`,
    );
  if (jwks_uri !== expected.jwks_uri && !leadsToOurs(facts))
    return problem(
      'discovery',
      `the document at ${url} sends clients to ${JSON.stringify(jwks_uri)}, where the keys of this ring are not: they refuse every token`,
      `${ways}; ${byHand}`,
    );
  return ok('discovery', `iss ${ring.cfg.iss} leads clients to the keys of this ring`);
}

/** What is wrong with our own document. */
function wrongIn(served: Served, expected: ReturnType<typeof discovery>): string | undefined {
  const document = documentOf(served);
  if ('refused' in document) return document.refused;
  const { issuer, jwks_uri } = membersOf(document.json);
  if (issuer !== expected.issuer) return `says that iss is ${JSON.stringify(issuer)}`;
  return jwks_uri === expected.jwks_uri ? undefined : `sends verifiers to ${JSON.stringify(jwks_uri)} for keys`;
}

/** Another URL may serve our keys as well, alone or among others. */
function leadsToOurs({ ring, at, discovered: { jwks } }: DiscoveryFacts): boolean {
  const document = jwks && documentOf(jwks);
  if (document === undefined || 'refused' in document) return false;
  const { keys } = (document.json ?? {}) as { keys?: unknown };
  const served = Array.isArray(keys) ? keys.map((key: Json) => canonicalJson(key)) : [];
  return jwksAt(ring, at).keys.every((key) => served.includes(canonicalJson(key as unknown as Json)));
}

/** Where the document at `iss` sends clients for keys; undefined where it is none, or does not say. */
export function jwksUriIn(document: Served): string | undefined {
  const parsed = documentOf(document);
  const { jwks_uri } = 'refused' in parsed ? {} : membersOf(parsed.json);
  return typeof jwks_uri === 'string' ? jwks_uri : undefined;
}

function membersOf(document: Json): { readonly issuer?: unknown; readonly jwks_uri?: unknown } {
  return (document ?? {}) as { readonly issuer?: unknown; readonly jwks_uri?: unknown };
}

function whyNot(served: Served): string {
  const document = documentOf(served);
  return 'refused' in document ? document.refused : 'it answers';
}

export function documentOf(served: Served): { readonly json: Json } | { readonly refused: string } {
  if ('unreachable' in served) return { refused: served.unreachable };
  if (served.status !== 200) return { refused: `answers ${served.status}` };
  try {
    return { json: JSON.parse(served.body) as Json };
  } catch {
    return { refused: 'the answer is not JSON' };
  }
}
