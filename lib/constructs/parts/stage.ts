/** How much a deployment has to lose: what CloudFormation may delete, and how hard evidence is locked. */
import { type CfnResource, RemovalPolicy } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

export const STAGES = ['production', 'trial'] as const;
/** `production`: everything that carries state is retained and protected. `trial`: it goes with the stack. */
export type Stage = (typeof STAGES)[number];

/**
 * Kept in production, but for what a first deployment made and rolled back: a role with a fixed name that stayed behind
 * would stop every later try. Tables and buckets say RETAIN instead: with deletion protection, or an object in them,
 * they cannot be deleted, so the rollback itself would fail. Their names are generated and stand in nobody's way.
 */
export function statefulPolicy(stage: Stage): RemovalPolicy {
  return stage === 'production' ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY;
}

/**
 * Pins the logical id of a resource that carries state. CloudFormation knows a resource by this id alone: under another
 * id it is another resource, and the old one's data is left behind. So the id must survive every move in our tree.
 */
export function pinLogicalId(resource: IConstruct, logicalId: string): void {
  (resource.node.defaultChild as CfnResource).overrideLogicalId(logicalId);
}
