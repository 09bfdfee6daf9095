/**
 * What Curfew refuses at synth, in the validation report: every problem of the app at once, each with the value got,
 * the values allowed and the fix. Every construct of Curfew registers it, so an app that has one cannot be without it.
 *
 * A violation is `fatal`: CDK lets any other be acknowledged in code, without an approver and without a date. What may
 * be let through, an `Exemption` lets through.
 */
import {
  type CfnElement,
  type IPolicyValidationContext,
  type IPolicyValidationPlugin,
  type PolicyValidationPluginReport,
  type PolicyViolation,
  Validations,
} from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { type CurfewError, type ErrorCode, isCurfewError } from '../../domain/base/errors';
import { type Exemption, parseExemptions } from '../../domain/rings/exemption';
import type { Stage } from '../parts/stage';
import { evidenceUnlocked } from './evidence-unlocked';
import { keyOutsideRing } from './key-outside-ring';
import { beyondLimits } from './limits';
import { elementOf, logicalIdOf, pathOf, type Rendered, renderedIn } from './rendered';

const CODES = [
  'ERR_RING_SCHEDULE',
  'ERR_RING_LIMIT',
  'ERR_RING_STANDBY_AGE',
  'ERR_CONFIG_INVALID',
  'ERR_KEY_OUTSIDE_RING',
  'ERR_EVIDENCE_UNLOCKED',
  'ERR_EXEMPTION',
] as const satisfies readonly ErrorCode[];

/** By app. Who builds an app reaches neither of the two: only constructs of Curfew can say what is let through. */
const rulesOf = new WeakMap<IConstruct, CurfewRules>();
const purposeKeys = new WeakSet<CfnElement>();

/** Something refused, and the construct that it is about. */
interface Refusal {
  readonly error: CurfewError;
  readonly at: { readonly constructPath: string } | Rendered;
}

export class CurfewRules implements IPolicyValidationPlugin {
  /** Those of the app that `scope` stands in; registered on first use. */
  static of(scope: IConstruct): CurfewRules {
    const app = scope.node.root;
    const standing = rulesOf.get(app);
    if (standing) return standing;
    const rules = new CurfewRules();
    rulesOf.set(app, rules);
    Validations.of(app).addPlugins(rules);
    return rules;
  }

  readonly name = 'Curfew';
  readonly ruleIds: string[] = [...CODES];
  private readonly refused: Refusal[] = [];
  private readonly exempted: { readonly exemption: Exemption; readonly by: IConstruct }[] = [];
  private readonly used = new Set<Exemption>();
  private readonly evidenceBuckets: { readonly bucket: CfnElement; readonly stage: Stage }[] = [];

  private constructor() {}

  /** What a construct found out about itself. It is made all the same, so that the report names what else is wrong. */
  refuse(construct: IConstruct, error: CurfewError): void {
    this.refused.push({ error, at: { constructPath: construct.node.path } });
  }

  exempt(by: IConstruct, exemptions: readonly Exemption[]): void {
    this.exempted.push(...exemptions.map((exemption) => ({ exemption, by })));
  }

  /** A ring made use of an exemption. */
  use(exemption: Exemption): void {
    this.used.add(exemption);
  }

  guard(bucket: CfnElement, stage: Stage): void {
    this.evidenceBuckets.push({ bucket, stage });
  }

  validate({ appConstruct }: IPolicyValidationContext): PolicyValidationPluginReport {
    const rendered = renderedIn(appConstruct);
    const found = rendered.flatMap((resource) => this.judge(resource));
    const stacks = new Set(rendered.map(({ stack }) => stack));
    const tooMuch = [...stacks].flatMap((stack) => beyondLimits(rendered.filter((one) => one.stack === stack)));
    const violations = [...this.refused, ...this.badExemptions(), ...found, ...tooMuch].map(violationOf);
    return { success: violations.length === 0, violations: [...violations, ...this.unusedExemptions()] };
  }

  private judge(resource: Rendered): Refusal[] {
    const guarded = this.evidenceBuckets.find(({ bucket }) => isSame(bucket, resource));
    const outside = keyOutsideRing(resource);
    const element = outside && elementOf(resource);
    const errors = [
      element && purposeKeys.has(element) ? undefined : outside,
      guarded && evidenceUnlocked(resource, guarded.stage),
    ];
    return errors.flatMap((error) => (error && !this.isExempt(error.code, resource) ? [{ error, at: resource }] : []));
  }

  private isExempt(rule: ErrorCode, resource: Rendered): boolean {
    const candidates = this.exempted.filter(({ exemption }) => exemption.rule === rule);
    if (candidates.length === 0) return false;
    const path = pathOf(resource);
    const found = candidates.filter(({ exemption }) => exemption.subject === path);
    for (const { exemption } of found) this.used.add(exemption);
    return found.length > 0;
  }

  private badExemptions(): Refusal[] {
    const now = Math.floor(Date.now() / 1000);
    return this.exempted.flatMap(({ exemption, by }) => {
      try {
        parseExemptions([exemption], now);
        return [];
      } catch (error) {
        if (!isCurfewError(error)) throw error;
        return [{ error, at: { constructPath: by.node.path } }];
      }
    });
  }

  /** Not refused: an exemption outlives what it was for by as long as it takes to have it taken out. */
  private unusedExemptions(): PolicyViolation[] {
    return this.exempted
      .filter(({ exemption }) => !this.used.has(exemption))
      .map(({ exemption: { rule, subject }, by }) => ({
        ruleName: 'EXEMPTION_UNUSED',
        description: `the exemption of ${subject} from ${rule} lets nothing through`,
        fix: 'take it out, or check how its subject is written',
        severity: 'warning',
        violatingResources: [{ constructPath: by.node.path, locations: [] }],
      }));
  }
}

/** A signing key whose purpose says how it is renewed. */
export function admit(key: CfnElement): void {
  purposeKeys.add(key);
}

function isSame(element: CfnElement, { stack, logicalId }: Rendered): boolean {
  return element.stack === stack && logicalIdOf(element) === logicalId;
}

function violationOf({ error, at }: Refusal): PolicyViolation {
  const { message, got, allowed } = error;
  const where = 'constructPath' in at ? at : { constructPath: pathOf(at), templatePath: at.templateFile };
  return {
    ruleName: error.code,
    description: `${message}; got ${text(got)}${allowed === undefined ? '' : `; allowed: ${text(allowed)}`}`,
    fix: error.fix,
    severity: 'fatal',
    violatingResources: [{ ...where, locations: [] }],
  };
}

function text(value: unknown): string {
  if (value === undefined || value === '') return 'nothing';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
