/** One look at one thing that AWS does, by real calls. */
import type { WeatherRowId } from '../../lib/local/weather-rows';
import type { Account } from './account';
import type { Instance } from './instance';

interface Common {
  readonly name: string;
  /** Rows of lib/local/weather-rows.ts that it can see; none where only this check asks for it. */
  readonly rows: readonly WeatherRowId[];
}

/** Needs nothing but the account. */
export interface AccountCheck extends Common {
  readonly needs: 'account';
  /** What it saw, a line each. */
  readonly look: (account: Account) => Promise<readonly string[]>;
}

/** Needs the trial instance that a run deploys. */
export interface InstanceCheck extends Common {
  readonly needs: 'instance';
  readonly look: (account: Account, instance: Instance) => Promise<readonly string[]>;
}

export type Check = AccountCheck | InstanceCheck;
