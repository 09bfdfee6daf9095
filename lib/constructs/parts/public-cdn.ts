/**
 * CloudFront before the public documents, for verifiers far away or many. It caches what may be cached and no longer
 * than our promises allow; everything else it passes on, and issuing not even that: a signed call names the API's host.
 */
import { Duration, Stack, Validations } from 'aws-cdk-lib';
import type { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import {
  AllowedMethods,
  type BehaviorOptions,
  CacheCookieBehavior,
  CacheHeaderBehavior,
  CachePolicy,
  CacheQueryStringBehavior,
  Distribution,
  HttpVersion,
  type ICachePolicy,
  OriginProtocolPolicy,
  OriginRequestPolicy,
  OriginSslPolicy,
  SecurityPolicyProtocol,
  ViewerProtocolPolicy,
} from 'aws-cdk-lib/aws-cloudfront';
import { HttpOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import { Construct } from 'constructs';
import type { Settings } from '../../domain/deployment/settings';
import { pinLogicalId } from './stage';

export interface CdnOptions {
  /**
   * A name of your own; it needs its certificate.
   * @default - the name that CloudFront gives, with which it also speaks TLS 1.0 and 1.1
   */
  readonly domainName?: string;
  /**
   * Of that name, in us-east-1.
   * @default - CloudFront's own
   */
  readonly certificateArn?: string;
}

interface PublicCdnProps extends CdnOptions {
  readonly instance: string;
  readonly api: HttpApi;
  readonly settings: Settings;
}

/** Those whose answers CloudFront would keep, ten seconds unless told otherwise. */
const CACHED_ERRORS = [400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504];

export class PublicCdn extends Construct {
  readonly distribution: Distribution;
  /** The host of `publicBaseUrl`. */
  readonly host: string;

  constructor(scope: Construct, id: string, { instance, api, settings, domainName, certificateArn }: PublicCdnProps) {
    super(scope, id);
    const stack = Stack.of(this);
    const origin = new HttpOrigin(`${api.apiId}.execute-api.${stack.region}.${stack.urlSuffix}`, {
      protocolPolicy: OriginProtocolPolicy.HTTPS_ONLY,
      originSslProtocols: [OriginSslPolicy.TLS_V1_2],
    });
    const behaviour = (cachePolicy: ICachePolicy, more: Partial<BehaviorOptions> = {}) => ({
      origin,
      cachePolicy,
      viewerProtocolPolicy: ViewerProtocolPolicy.HTTPS_ONLY,
      allowedMethods: AllowedMethods.ALLOW_GET_HEAD,
      ...more,
    });
    // A STANDBY counts as seen everywhere once the propagation is over: no edge may serve an older JWKS then.
    const documents = this.cache(
      instance,
      'Documents',
      Math.min(settings.jwksMaxAgeSeconds, settings.propagationSeconds),
    );
    this.distribution = new Distribution(this, 'Distribution', {
      comment: `curfew ${instance}: public documents`,
      httpVersion: HttpVersion.HTTP2_AND_3,
      domainNames: domainName ? [domainName] : undefined,
      certificate: certificateArn ? Certificate.fromCertificateArn(this, 'Certificate', certificateArn) : undefined,
      // CloudFront takes it with a certificate only.
      minimumProtocolVersion: certificateArn ? SecurityPolicyProtocol.TLS_V1_2_2021 : undefined,
      defaultBehavior: behaviour(CachePolicy.CACHING_DISABLED),
      additionalBehaviors: {
        '/r/*/.well-known/*': behaviour(documents),
        '/r/*/feed': behaviour(this.cache(instance, 'Feed', settings.feedPollSeconds)),
        '/r/*/exchange': behaviour(CachePolicy.CACHING_DISABLED, {
          allowedMethods: AllowedMethods.ALLOW_ALL,
          originRequestPolicy: OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
        }),
      },
      errorResponses: CACHED_ERRORS.map((httpStatus) => ({ httpStatus, ttl: Duration.seconds(0) })),
    });
    // A name of your own belongs to one distribution: CloudFront refuses it to a second one.
    pinLogicalId(this.distribution, 'CdnDistribution');
    this.host = domainName ?? this.distribution.distributionDomainName;
    this.acknowledge(domainName);
  }

  /** Not the managed policies, whose default is a day: what the origin says counts, up to the seconds given. */
  private cache(instance: string, id: string, secondsMax: number): ICachePolicy {
    if (secondsMax === 0) return CachePolicy.CACHING_DISABLED;
    const policy = new CachePolicy(this, id, {
      // CDK would name it after its place in the tree, and cut off what makes the name its own.
      cachePolicyName: `curfew-${instance}-${id.toLowerCase()}`,
      comment: `curfew: at most ${secondsMax} s`,
      minTtl: Duration.seconds(0),
      defaultTtl: Duration.seconds(secondsMax),
      maxTtl: Duration.seconds(secondsMax),
      headerBehavior: CacheHeaderBehavior.none(),
      queryStringBehavior: CacheQueryStringBehavior.none(),
      cookieBehavior: CacheCookieBehavior.none(),
      enableAcceptEncodingGzip: true,
      enableAcceptEncodingBrotli: true,
    });
    pinLogicalId(policy, `CdnCache${id}`);
    return policy;
  }

  private acknowledge(domainName: string | undefined): void {
    const reasons: Record<string, string> = {
      'AwsSolutions-CFR1': 'verifiers may stand in any country',
      'AwsSolutions-CFR2': 'the API limits each route; there is nothing here that is not public',
      'AwsSolutions-CFR3': 'who reads public keys is nobody’s business; the API logs what reaches it',
    };
    if (!domainName)
      reasons['AwsSolutions-CFR4'] = 'only a name of your own, with its certificate, can ask for TLS 1.2';
    for (const [id, reason] of Object.entries(reasons)) Validations.of(this.distribution).acknowledge({ id, reason });
  }
}
