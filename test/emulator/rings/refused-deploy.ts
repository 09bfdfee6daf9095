/** `cdk deploy` of the demo's own configuration with one thing changed that a live ring cannot change. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CloudFormationClient,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  GetTemplateCommand,
} from '@aws-sdk/client-cloudformation';
import type { Instance } from '../../../bin/edge/instance';
import { deploy } from '../../../emulator/deploy';
import type { SigningAlgorithm } from '../../../lib/domain/jose/algorithm';
import { loadRing } from '../../../lib/work/rings/load-ring';

const cloudFormation = new CloudFormationClient({});

interface Configuration {
  readonly instance: string;
  readonly rings: readonly { readonly id: string }[];
}

/** Deploys all stacks, with another algorithm for every ring; answers how that ended, and why as CloudFormation tells it. */
export async function deployWith(algorithm: SigningAlgorithm): Promise<{ deployed: boolean; reasons: string }> {
  const given = JSON.parse(
    readFileSync(join(process.env.CURFEW_DEMO_DIR ?? '', 'config.json'), 'utf8'),
  ) as Configuration;
  const configuration = { ...given, rings: given.rings.map((ring) => ({ ...ring, algorithm })) };
  const dir = mkdtempSync(join(tmpdir(), 'curfew-redeploy-'));
  const since = Date.now();
  try {
    const deployed = await deploy({ dir, configuration, isBootstrapped: true, log: () => undefined }).then(
      () => true,
      () => false,
    );
    return { deployed, reasons: await failuresSince(since, `curfew-${given.instance}-signing`) };
  } finally {
    rmSync(dir, { recursive: true });
  }
}

async function failuresSince(since: number, StackName: string): Promise<string> {
  const { StackEvents = [] } = await cloudFormation.send(new DescribeStackEventsCommand({ StackName }));
  return StackEvents.filter(
    ({ Timestamp, ResourceStatus }) => Number(Timestamp) >= since && ResourceStatus?.endsWith('_FAILED'),
  )
    .map(({ ResourceStatusReason }) => ResourceStatusReason)
    .join('\n');
}

/** What must be the same before and after: the stack as it stands, and what its ring is. */
export async function standing(instance: Instance, ring: string) {
  const StackName = `curfew-${instance.name}-signing`;
  const { TemplateBody } = await cloudFormation.send(new GetTemplateCommand({ StackName }));
  const { Stacks = [] } = await cloudFormation.send(new DescribeStacksCommand({ StackName }));
  const { cfg, activeKid, keys } = await loadRing(instance, ring);
  return {
    status: Stacks[0]?.StackStatus,
    outputs: Stacks[0]?.Outputs,
    template: TemplateBody,
    ring: { cfg, activeKid, keys: keys.map(({ kid, state, alg }) => ({ kid, state, alg })) },
  };
}
