/** What verifiers said of the tokens that they were shown, held against what each of them is promised. */
import { codeOf } from '../../../demo/checks';
import type { KeyRecord, Ring } from '../../../lib/domain/rings/ring';
import type { Verifier } from './verifiers';

/** From a change of the ring to the document that says so, and the second that epoch seconds round away. */
const PUBLISHED_WITHIN_SECONDS = 3;

interface Verdict {
  readonly verifier: Verifier;
  readonly kid: string;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly code: string;
}

export class Verdicts {
  count = 0;
  private readonly refusals: Verdict[] = [];
  /** The latest of each verifier and key is enough to tell whether any came too late. */
  private readonly accepted = new Map<string, Verdict>();

  get refused(): number {
    return this.refusals.length;
  }

  async ask(verifier: Verifier, { token, kid }: { readonly token: string; readonly kid: string }): Promise<string> {
    const startedAt = Date.now();
    const code = await verifier.verify(token).then(() => 'ok', codeOf);
    const verdict = { verifier, kid, startedAt, endedAt: Date.now(), code };
    this.count++;
    if (code === 'ok') this.accepted.set(nameOf(verdict), verdict);
    else this.refusals.push(verdict);
    return code;
  }

  /** Refusals since the first `skip` that break a promise. `ring` as it stands now: its records have every date. */
  refusedGood(ring: Ring, skip: number): string[] {
    return this.refusals
      .slice(skip)
      .filter((verdict) => verdict.endedAt < 1000 * promisedUntil(ring, verdict))
      .map((verdict) => `${nameOf(verdict)} ${verdict.code}`);
  }

  /** What was shown to a verifier that must have heard of the end of its key: how often it refused, and who did not. */
  afterTheEnd(ring: Ring) {
    const isLate = (verdict: Verdict) =>
      verdict.startedAt >
      1000 * (promisedUntil(ring, verdict) + verdict.verifier.cacheSeconds + PUBLISHED_WITHIN_SECONDS);
    const refused = this.refusals.filter(isLate);
    return {
      refused: refused.length,
      refusedBy: new Set(refused.map(nameOf)),
      accepted: [...this.accepted.values()].filter(isLate).map(nameOf),
    };
  }
}

function nameOf({ verifier, kid }: Verdict): string {
  return `${verifier.name} ${kid}`;
}

/**
 * Until when (epoch seconds) a verifier accepts what was issued under a key. Ours asks the ledger for each token of a
 * SUSPECT kid, so until DENIED. A stock one knows the JWKS alone: a kid of class `planned` leaves it with DENIED, one of
 * class `compromise` at its taint, and its holders are refused there until they have traded.
 */
function promisedUntil({ keys }: Ring, { kid, verifier }: Verdict): number {
  const { taint, deniedAt }: Partial<KeyRecord> = keys.find((key) => key.kid === kid) ?? {};
  const leavesJwksAt = taint?.class === 'compromise' ? taint.at : deniedAt;
  return (verifier.kind === 'ours' ? deniedAt : leavesJwksAt) ?? Number.POSITIVE_INFINITY;
}
