/** Asks the ledger whether exactly this token was issued; answers are kept no longer than one feed poll. */
import { CurfewError } from '../domain/base/errors';
import { jtiHash } from '../domain/tokens/claims';

/** Answers kept at once. A storm of forgeries pushes out each other, never the feed. */
const ANSWERS_MAX = 10_000;

interface IssuedQueryOptions {
  readonly issuedUrl: string;
  readonly pollSeconds: number;
  readonly now: () => number;
  readonly fetchText: (url: string) => Promise<string>;
}

export class IssuedQuery {
  private readonly answers = new Map<string, { readonly at: number; readonly answer: Promise<boolean> }>();

  constructor(private readonly options: IssuedQueryOptions) {}

  /** Throws `ERR_UNAVAILABLE` where there is no answer: not knowing is no yes. */
  async ask(kid: string, jti: string, tokenSha256: string): Promise<boolean> {
    const { now, pollSeconds } = this.options;
    const known = this.answers.get(tokenSha256);
    if (known && now() < known.at + pollSeconds) return known.answer;

    const answer = this.fetch(kid, jti, tokenSha256);
    if (this.answers.size >= ANSWERS_MAX) this.answers.clear();
    this.answers.set(tokenSha256, { at: now(), answer });
    answer.catch(() => this.answers.delete(tokenSha256));
    return answer;
  }

  private async fetch(kid: string, jti: string, tokenSha256: string): Promise<boolean> {
    try {
      const text = await this.options.fetchText(`${this.options.issuedUrl}/${kid}/${jtiHash(jti)}/${tokenSha256}`);
      return (JSON.parse(text) as { issued?: unknown }).issued === true;
    } catch (cause) {
      throw new CurfewError('ERR_UNAVAILABLE', 'the ledger did not answer, so the verifier refuses the token', {
        cause,
      });
    }
  }
}
