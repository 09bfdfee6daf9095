/** The HR sources of a deployed instance, under the names that their owner wrote, and the ARNs of their secrets. */
import { pascal } from '../../lib/constructs/parts/names';

/** Names CloudFormation's way lose their hyphens: an older stack has no list of the true ones. */
const OUTPUT = /^SecretWebhook(\w+)Arn$/;

/** From the outputs of the offboarding stack. */
export function webhookSecretsIn(outputs: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const written = (outputs.HrSources ?? '').split(',').filter((name) => name !== '');
  const nameOf = (spelt: string) => written.find((name) => pascal(name) === spelt) ?? spelt;
  return Object.fromEntries(
    Object.entries(outputs).flatMap(([output, arn]) => {
      const [, spelt] = OUTPUT.exec(output) ?? [];
      return spelt === undefined ? [] : [[nameOf(spelt), arn]];
    }),
  );
}
