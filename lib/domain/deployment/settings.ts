/**
 * The stage settings that may be shrunk or stretched, each with its default and limits, in seconds.
 *
 * Formulas, the two passes, commit-before-re-sign, read-backs, two STANDBYs and 64 shards are not settings.
 */
import { CurfewError } from '../base/errors';

export const SETTINGS = {
  propagationSeconds: { default: 60, min: 0, max: 3600, says: 'until a published document is served everywhere' },
  verifierCacheSeconds: { default: 600, min: 0, max: 86_400, says: 'largest declared age of a cached JWKS' },
  feedPollSeconds: { default: 5, min: 1, max: 60, says: 'how often verifiers poll the feed' },
  // Scheduler is up to a minute late, so the feed, signed once a minute, may come two minutes apart in ordinary use. A
  // feed that lived for less than that and one try more would end every token of every ring for nothing.
  feedExpirySeconds: { default: 300, min: 180, max: 900, says: 'how long a verifier trusts a feed it cannot refresh' },
  skewSeconds: { default: 30, min: 0, max: 60, says: 'clock difference forgiven between issuer and verifier' },
  drainSeconds: {
    default: 15,
    min: 8,
    max: 120,
    says: 'issuer time-out and 5 s: until no signature under an old key is in flight',
  },
  collectGraceSeconds: {
    default: 86_400,
    min: 0,
    max: 604_800,
    says: 'how long holders may collect before a planned taint ends in DENIED',
  },
  sessionSecondsMax: {
    default: 43_200,
    min: 900,
    max: 129_600,
    says: 'longest session alive at containment; the second rotation waits for it',
  },
  jwksMaxAgeSeconds: { default: 300, min: 0, max: 300, says: 'Cache-Control of the JWKS' },
} as const;

type SettingName = keyof typeof SETTINGS;
export type Settings = { readonly [N in SettingName]: number };

/** Fills in defaults and refuses what is outside the limits, or is no setting at all. */
export function parseSettings(given: Readonly<Record<string, unknown>> = {}): Settings {
  for (const name of Object.keys(given))
    if (!Object.hasOwn(SETTINGS, name))
      throw new CurfewError('ERR_CONFIG_INVALID', `unknown setting ${name}`, {
        got: name,
        allowed: Object.keys(SETTINGS),
      });

  const settings = Object.entries(SETTINGS).map(([name, { default: fallback, min, max }]) => {
    const value = given[name] ?? fallback;
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max)
      throw new CurfewError('ERR_CONFIG_INVALID', `${name} is not a whole number of seconds from ${min} to ${max}`, {
        got: value,
        allowed: { min, max },
      });
    return [name, value];
  });
  return Object.fromEntries(settings) as Settings;
}
