/** The rings that stand in one stack: born one after another, and no more of them than CloudFormation has room for. */
import { CfnResource, type CustomResource, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { DeadLetters } from '../functions/dead-letters';
import type { SigningPlane } from './signing-plane';

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html */
const RESOURCES_MAX = 500;

const known = new WeakMap<Stack, RingsOfStack>();

export class RingsOfStack {
  /** Those of the stack that `scope` stands in. */
  static of(scope: Construct, plane: SigningPlane): RingsOfStack {
    const stack = Stack.of(scope);
    const standing = known.get(stack);
    if (standing) return standing;
    const rings = new RingsOfStack(stack);
    known.set(stack, rings);
    // Schedules of its rings put what failed into the dead letters of their own stack.
    if (stack !== Stack.of(plane)) {
      const deadLetters = DeadLetters.of(stack);
      deadLetters.notify(plane.alarmActions);
      plane.dashboard.addAlarm(deadLetters.alarm);
    }
    return rings;
  }

  private readonly rings: Construct[] = [];
  private lastBorn: CustomResource | undefined;

  private constructor(private readonly stack: Stack) {
    stack.node.addValidation({ validate: () => this.tooMany() });
  }

  /**
   * Has a ring born after the one before it. CloudFormation would make them all at once, three keys each, and KMS creates
   * five keys a second for the whole account: a birth that is throttled for too long rolls the stack back. A ring that is
   * taken out leaves a chain, and `DependsOn` alone is no update: nothing happens to the others.
   */
  add(ring: Construct, born: CustomResource): void {
    if (this.lastBorn) born.node.addDependency(this.lastBorn);
    this.lastBorn = born;
    this.rings.push(ring);
  }

  /** Before CDK counts: it would say how many resources there are, and not what to do. */
  private tooMany(): string[] {
    const all = resourcesIn(this.stack, this.stack);
    if (all <= RESOURCES_MAX) return [];
    const ofRings = this.rings.reduce((sum, ring) => sum + resourcesIn(ring, this.stack), 0);
    const each = Math.ceil(ofRings / this.rings.length);
    const fit = Math.max(0, Math.floor((RESOURCES_MAX - (all - ofRings)) / each));
    return [
      `stack ${this.stack.stackName} has ${all} resources with its ${this.rings.length} rings; CloudFormation allows ${RESOURCES_MAX}, ` +
        `so ${fit} rings fit; give a ring that is not deployed yet another stack: "stack": 2 in the configuration, or a Stack ` +
        'of your own for its SigningKeyRing',
    ];
  }
}

function resourcesIn(scope: Construct, stack: Stack): number {
  return scope.node.findAll().filter((one) => CfnResource.isCfnResource(one) && one.stack === stack).length;
}
