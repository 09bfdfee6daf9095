/** A storm of tokens under kids that nobody knows, with good tokens among them, over frozen seconds. */
import { encode } from './keys';
import { Published, verdict } from './published';

export const UNKNOWN_KID_COOL_DOWN = 30;

export async function kidStorm(given: { readonly seconds: number; readonly junk: number; readonly good: number }) {
  const published = new Published();
  published.publish();
  // One poll at the start and none after it: what is fetched besides is the storm's doing.
  const verifier = published.verifier({ pollSeconds: given.seconds });
  const token = published.token();
  const [, payload, signature] = token.split('.');
  const junk = (n: number) => `${encode({ alg: 'ES256', kid: `junk-${n}`, typ: 'at+jwt' })}.${payload}.${signature}`;
  const verdicts: Record<string, number> = {};
  for (let second = 0; second < given.seconds; second++) {
    const from = Math.floor((given.junk * second) / given.seconds);
    const to = Math.floor((given.junk * (second + 1)) / given.seconds);
    const tokens = Array.from({ length: to - from }, (_, n) => junk(from + n));
    const good = Array.from({ length: given.good / given.seconds }, () => token);
    for (const code of await Promise.all([...tokens, ...good].map((one) => verdict(verifier, one))))
      verdicts[code] = (verdicts[code] ?? 0) + 1;
    published.now++;
  }
  return { verdicts, fetches: published.asked.feed, ledger: published.asked.ledger };
}
