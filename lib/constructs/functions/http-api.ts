/** An HTTP API whose access log can hold no token, no digest and no body: route, status and time only. */
import { Lazy, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import {
  type CfnStage,
  HttpApi,
  type HttpMethod,
  HttpNoneAuthorizer,
  HttpStage,
  type IHttpRouteAuthorizer,
  LogGroupLogDestination,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { pascal } from '../parts/names';
import { pinLogicalId } from '../parts/stage';
import type { CurfewFunction } from './curfew-function';

interface CurfewHttpApiProps {
  /** `signing`, `intake`: what its logical ids begin with. Its URL is in the hands of others, so it never changes. */
  readonly name: string;
  readonly description: string;
}

/** Requests a second, and at once, before API Gateway answers 429 for us. */
export interface Throttle {
  readonly rateLimit: number;
  readonly burstLimit: number;
}

interface CurfewRoute {
  readonly method: HttpMethod;
  readonly path: string;
  readonly to: CurfewFunction;
  /** Its own: on a limit that routes share, a flood of a public one stops the others. */
  readonly throttle: Throttle;
  /** An authoriser, or the reason why everybody may call. */
  readonly access: { readonly authorizer: IHttpRouteAuthorizer } | { readonly publicBecause: string };
}

export class CurfewHttpApi extends Construct {
  readonly api: HttpApi;
  private readonly stage: HttpStage;
  private readonly logicalId: string;
  private readonly throttles: Record<string, { ThrottlingRateLimit: number; ThrottlingBurstLimit: number }> = {};

  constructor(scope: Construct, id: string, { name, description }: CurfewHttpApiProps) {
    super(scope, id);
    this.logicalId = `Api${pascal(name)}`;
    this.api = new HttpApi(this, 'Api', { description, createDefaultStage: false });
    pinLogicalId(this.api, this.logicalId);
    const logs = new LogGroup(this, 'AccessLogs', {
      retention: RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    pinLogicalId(logs, `${this.logicalId}AccessLogs`);
    this.stage = new HttpStage(this, 'Stage', {
      httpApi: this.api,
      stageName: '$default',
      autoDeploy: true,
      accessLogSettings: {
        destination: new LogGroupLogDestination(logs),
        format: AccessLogFormat.custom(
          JSON.stringify({
            requestId: '$context.requestId',
            at: '$context.requestTimeEpoch',
            route: '$context.routeKey',
            status: '$context.status',
            latencyMs: '$context.responseLatency',
            sourceIp: '$context.identity.sourceIp',
          }),
        ),
      },
    });
    pinLogicalId(this.stage, `${this.logicalId}Stage`);
    // HttpStage knows one throttle for all routes, and no other.
    (this.stage.node.defaultChild as CfnStage).routeSettings = Lazy.any({ produce: () => this.throttles });
  }

  route({ method, path, to, throttle, access }: CurfewRoute): void {
    const routes = this.api.addRoutes({
      path,
      methods: [method],
      integration: new HttpLambdaIntegration(to.node.id, to.function),
      authorizer: 'authorizer' in access ? access.authorizer : new HttpNoneAuthorizer(),
    });
    // An API has a route once: one more of the same key "already exists".
    for (const route of routes)
      pinLogicalId(route, `${this.logicalId}Route${method}${path.replaceAll(/[^A-Za-z0-9]/g, '')}`);
    this.throttles[`${method} ${path}`] = {
      ThrottlingRateLimit: throttle.rateLimit,
      ThrottlingBurstLimit: throttle.burstLimit,
    };
    // API Gateway refuses settings of a route that is not there yet.
    this.stage.node.addDependency(...routes);
    if ('publicBecause' in access)
      for (const route of routes)
        Validations.of(route).acknowledge({ id: 'AwsSolutions-APIG4', reason: access.publicBecause });
  }
}
