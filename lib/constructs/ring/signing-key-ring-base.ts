/** What others may ask of a key ring, whether this app makes it or another did: rights to it, and its figures. */
import { Duration, Stack } from 'aws-cdk-lib';
import { Metric, type MetricOptions, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import { Construct, type IConstruct } from 'constructs';
import { METRICS_NAMESPACE, type MetricName } from '../../domain/deployment/metrics';
import type { FunctionName } from '../../domain/deployment/rights';

/** A ring that nobody asks for longer than this could be late by as much, with a key that must go. */
export const TICK_MINUTES_MAX = 60;

export interface ISigningKeyRing extends IConstruct {
  readonly ringId: string;
  /** Base of the ring's public documents; `{url}/.well-known/jwks.json` is its JWKS. */
  readonly url: string;

  /**
   * Lets a back end have tokens issued by this ring and no other: `POST {api}/r/{ringId}/issue`, signed with its own
   * credentials. A right to call, never one of KMS: its holder can sign only claims that the issuer checked.
   */
  grantIssue(grantee: IGrantable): Grant;

  /**
   * What `curfew ring list`, `show`, `rotate`, `taint`, `halt` and `resume` need. The Lambdas behind them serve every ring of the
   * instance, and IAM cannot see which ring a call names: an administrator of one ring can administer all.
   */
  grantAdminister(grantee: IGrantable): Grant;

  /** A figure of this ring (namespace Curfew, dimensions Instance and Ring), put each minute. */
  metric(name: MetricName, options?: MetricOptions): Metric;
  /** Seconds for which the ACTIVE key has been signing. */
  metricActiveKeyAge(options?: MetricOptions): Metric;
  /** Keys that stand by, fit to sign next: two, but for the minutes after a rotation. */
  metricStandbyKeys(options?: MetricOptions): Metric;
  /** Seconds since when the ACTIVE key should have been replaced. */
  metricRotationOverdue(options?: MetricOptions): Metric;
  /** Seconds since when the feed that verifiers read was signed. */
  metricFeedAge(options?: MetricOptions): Metric;
  /** Keys whose policy, as read back, is not the one written at birth. */
  metricKeyPolicyDrift(options?: MetricOptions): Metric;
  /** Seconds since when the rotator last finished a whole tick, the keys read back. */
  metricInspectionAge(options?: MetricOptions): Metric;
  /** Keys that must not sign any more and are enabled in KMS. */
  metricUndisabledKeys(options?: MetricOptions): Metric;
  /** Changes of a key of the ring by others; only where they are, and where a CloudTrail trail delivers to EventBridge. */
  metricKeyPolicyPuts(options?: MetricOptions): Metric;
}

/** The Lambdas that the CLI invokes to show, rotate, taint or halt a ring. */
export const ADMINISTRATION = [
  'rotator',
  'taint',
  'halt',
  'publisher',
  'committer',
  'resigner',
] as const satisfies readonly FunctionName[];
export type AdministrationFunction = (typeof ADMINISTRATION)[number];

/** What stands behind `grantAdminister`. */
export interface Administration {
  readonly functionArns: readonly string[];
  readonly keysTableArn: string;
}

export abstract class SigningKeyRingBase extends Construct implements ISigningKeyRing {
  abstract readonly ringId: string;
  abstract readonly url: string;
  protected abstract readonly instance: string;
  protected abstract readonly apiId: string;
  protected abstract administration(): Administration;

  grantIssue(grantee: IGrantable): Grant {
    const route = Stack.of(this).formatArn({
      service: 'execute-api',
      resource: this.apiId,
      resourceName: `$default/POST/r/${this.ringId}/issue`,
    });
    return Grant.addToPrincipal({ grantee, actions: ['execute-api:Invoke'], resourceArns: [route] });
  }

  grantAdminister(grantee: IGrantable): Grant {
    const { functionArns, keysTableArn } = this.administration();
    // The CLI learns from their outputs where things are.
    const stacks = Stack.of(this).formatArn({
      service: 'cloudformation',
      resource: 'stack',
      resourceName: `curfew-${this.instance}-*/*`,
    });
    const grant = (actions: string[], resourceArns: string[]) =>
      Grant.addToPrincipal({ grantee, actions, resourceArns });
    return grant(['lambda:InvokeFunction'], [...functionArns])
      .combine(grant(['dynamodb:Query'], [keysTableArn]))
      .combine(grant(['cloudformation:DescribeStacks'], [stacks]));
  }

  metric(name: MetricName, options: MetricOptions = {}): Metric {
    return new Metric({
      namespace: METRICS_NAMESPACE,
      metricName: name,
      dimensionsMap: { Instance: this.instance, Ring: this.ringId },
      statistic: Stats.MAXIMUM,
      period: Duration.minutes(1),
      ...options,
    }).attachTo(this);
  }

  metricActiveKeyAge(options?: MetricOptions): Metric {
    return this.metric('ActiveKeyAge', options);
  }

  metricStandbyKeys(options?: MetricOptions): Metric {
    return this.metric('StandbyKeys', { statistic: Stats.MINIMUM, ...options });
  }

  metricRotationOverdue(options?: MetricOptions): Metric {
    return this.metric('RotationOverdue', options);
  }

  metricFeedAge(options?: MetricOptions): Metric {
    return this.metric('FeedAge', options);
  }

  metricKeyPolicyDrift(options?: MetricOptions): Metric {
    return this.metric('KeyPolicyDrift', options);
  }

  metricInspectionAge(options?: MetricOptions): Metric {
    return this.metric('InspectionAge', options);
  }

  metricUndisabledKeys(options?: MetricOptions): Metric {
    return this.metric('UndisabledKeys', options);
  }

  metricKeyPolicyPuts(options?: MetricOptions): Metric {
    return this.metric('KeyPolicyPuts', options);
  }
}
