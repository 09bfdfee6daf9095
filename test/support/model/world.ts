/** What the processes of the model share: clock, tables, KMS, what is served to verifiers, and who holds which token. */

import type { Feed } from '../../../lib/domain/feed/feed';
import { jwksAt } from '../../../lib/domain/feed/publication';
import type { PublicJwk } from '../../../lib/domain/jose/jwk';
import type { RingSettings } from '../../../lib/domain/rings/configuration';
import { keyPolicy } from '../../../lib/domain/rings/key-policy';
import type { KeyRecord, Ring } from '../../../lib/domain/rings/ring';
import { planRotation } from '../../../lib/domain/rings/rotation';
import { RING_HEAD } from '../../../lib/domain/store/ring-head';
import type { Write } from '../../../lib/domain/store/table';
import type { Claims } from '../../../lib/domain/tokens/claims';
import { RING_PREFIXES, ringFromRows } from '../ring-rows';
import { NOW } from '../rings';
import { ModelKms } from './kms';
import { ModelStore } from './store';

export const RING = 'customer-api';

/** Small times, so that a life of a hundred steps sees rotations, expiries and caches run out. */
export const MODEL_CFG: RingSettings = {
  alg: 'ES256',
  iss: 'https://id.shop.example/r/customer-api',
  aud: 'https://api.shop.example',
  periodSeconds: 3600,
  maxTtlSeconds: 1800,
  propagationSeconds: 10,
  cacheSeconds: 60,
  skewSeconds: 30,
  drainSeconds: 15,
  feedPollSeconds: 5,
};

/** Steps of a script that a guard consists of. */
export type GuardedStep =
  | 'read back'
  | 'disable at birth'
  | 'mark prepared'
  | 'probe'
  | 'announce'
  | 'mark Disabling'
  | 'disable before deny'
  | 'inspect'
  | 'sweep'
  | 'swap';

/** The real rules, by which all scripts go. A guard is removed by a change of one of these. */
export const RULES = {
  plan: planRotation,
  keyPolicy,
  jwksAt,
  /** The ring as plan and transitions are shown it. */
  shown: (ring: Ring): Ring => ring,
  /** A transaction as it is sent. */
  sent: (writes: readonly Write[]): readonly Write[] => writes,
  takes: (_step: GuardedStep): boolean => true,
};
export type Rules = typeof RULES;

/** A committed token. The model counts each as held: the ledger cannot tell. */
export interface HeldToken {
  readonly jti: string;
  readonly kid: string;
  readonly claims: Claims;
  readonly payload: Buffer;
  readonly resignOf?: string;
}

/** What an issuer has read of HEAD and its key. */
export interface Issuing {
  readonly key: KeyRecord;
  readonly fence: number;
}

export class ModelWorld {
  now = NOW;
  kept: (Issuing & { readonly at: number }) | undefined;
  readonly store = new ModelStore();
  readonly kms = new ModelKms(() => this.now);
  readonly tokens: HeldToken[] = [];
  /** The JWKS of the last instant at which the origin could be reached, while it cannot. */
  stale: readonly PublicJwk[] | undefined;
  published: { readonly feed: Feed; readonly etag: number } | undefined;
  /** What went wrong in an effect itself, for the invariants to name. */
  readonly broken: string[] = [];
  drawn = 0;
  /** By signUntil, which is all that two policies of a ring differ in. */
  readonly policies = new Map<number, string>();
  private known: { readonly version: number; readonly ring: Ring | undefined } = { version: -1, ring: undefined };

  constructor(readonly rules: Rules = RULES) {}

  /** The ring as it stands, seen from outside at one instant. */
  ring(): Ring | undefined {
    if (this.known.version !== this.store.version) {
      const items = RING_PREFIXES.flatMap((prefix) => this.store.query('keys', RING_HEAD.key(RING).pk, prefix));
      this.known = { version: this.store.version, ring: ringFromRows(RING, items) };
    }
    return this.known.ring;
  }

  /** As verifiers are answered: by the origin, or by what its caches still have. */
  served(): readonly PublicJwk[] {
    const ring = this.ring();
    return this.stale ?? (ring ? this.rules.jwksAt(ring, this.now).keys : []);
  }

  transact(writes: readonly Write[]): void {
    this.store.transact(this.rules.sent(writes));
  }

  unique(): string {
    return `n${this.drawn++}`;
  }
}
