/** How much a deployment has to lose: what CloudFormation may delete, and how hard evidence is locked. */
import { type CfnResource, RemovalPolicy } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

export const STAGES = ['production', 'trial'] as const;
/** `production`: everything that carries state is retained and protected. `trial`: it goes with the stack. */
export type Stage = (typeof STAGES)[number];

export function statefulPolicy(stage: Stage): RemovalPolicy {
  return stage === 'production' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
}

/**
 * Pins the logical id of a resource that carries state. CloudFormation knows a resource by this id alone: under another
 * id it is another resource, and the old one's data is left behind. So the id must survive every move in our tree.
 */
export function pinLogicalId(resource: IConstruct, logicalId: string): void {
  (resource.node.defaultChild as CfnResource).overrideLogicalId(logicalId);
}
