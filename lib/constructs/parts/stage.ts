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
 * Pins the logical id of a resource. CloudFormation knows a resource by this id alone: under another id it is another
 * resource. It makes the new one first, then deletes the old one. So an id must survive every move in our tree where
 * - the old one holds something: data, logs, running executions, a URL or an ARN that others were given;
 * - two cannot be there at once: a fixed name, a route of an API, the policy of a bucket, the reader of a stream. The
 *   deployment would fail with "already exists", or delete with the old one what it has just written for the new one.
 */
export function pinLogicalId(resource: IConstruct, logicalId: string): void {
  (resource.node.defaultChild as CfnResource).overrideLogicalId(logicalId);
}
