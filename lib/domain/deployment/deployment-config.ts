/** What one deployment of Curfew knows of itself: CURFEW_CONFIG, parsed, with every setting within its limits. */
import { type Deployed, parseDeployed } from '../store/deployed';
import { parseSettings, type Settings } from './settings';

export interface DeploymentConfig extends Omit<Deployed, 'settings'> {
  readonly settings: Settings;
}

/** `ERR_CONFIG_INVALID` names the member, or the setting, that is not as a deployment writes it. */
export function parseDeploymentConfig(written: string): DeploymentConfig {
  const deployed = parseDeployed(written);
  return { ...deployed, settings: parseSettings(deployed.settings) };
}
