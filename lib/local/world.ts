/**
 * A whole deployment in memory: every twin once, and for each Lambda the ports that its row of RIGHTS opens.
 *
 *     const world = new World({ now: 1_800_000_000 });
 *     world.functions.register('publisher', (request) => publish(request, world.deps('publisher')));
 *     await publish({ ring: 'customer-api' }, world.deps('publisher'));
 */
import type { DeploymentConfig } from '../domain/deployment/deployment-config';
import { type FunctionName, RIGHTS } from '../domain/deployment/rights';
import { parseSettings } from '../domain/deployment/settings';
import type { HrSource } from '../domain/store/hr-sources';
import type { Deps, PortsFor } from '../ports';
import { type AllPorts, portsOpenedFor } from '../ports-opened';
import { SettableClock } from './clock';
import { Faults } from './faults';
import { MemoryFunctions } from './functions';
import { MemoryHrSources } from './hr-sources';
import { MemoryHttp } from './http';
import { MemoryIam } from './iam';
import { Interposer } from './interposer';
import { MemoryKms, policyAllowing } from './kms';
import { MemoryMetrics } from './metrics';
import { MemoryObjects } from './objects';
import { SeededRandom } from './random';
import { MemorySealer } from './sealer';
import { MemorySecrets } from './secrets';
import { MemoryStacks } from './stacks';
import { MemoryTables } from './tables';
import { Weather } from './weather';
import { MemoryEvents, MemoryWorkflow } from './workflow';

const ACCOUNT = '000000000000';
const INSTANCE = 'test';

export interface WorldOptions {
  /** Epoch seconds at which the clock stands. */
  readonly now?: number;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly config?: Partial<DeploymentConfig>;
  /** HR sources, by name. */
  readonly sources?: Readonly<Record<string, HrSource>>;
  readonly seed?: string;
  /** @default - AWS behaves, but for what it always does */
  readonly weather?: Weather;
  /** @default - one that stands still, at `now` */
  readonly clock?: SettableClock;
}

/** What AWS does each time. */
const ALWAYS = { 'kms.lockout': 1 } as const;

export class World {
  readonly clock: SettableClock;
  readonly random: SeededRandom;
  readonly weather: Weather;
  readonly tables: MemoryTables;
  readonly kms: MemoryKms;
  readonly objects = new MemoryObjects();
  readonly sealer: MemorySealer;
  readonly secrets = new MemorySecrets();
  readonly hrSources = new MemoryHrSources();
  readonly iam: MemoryIam;
  readonly functions: MemoryFunctions;
  readonly workflow = new MemoryWorkflow();
  readonly stacks = new MemoryStacks();
  readonly events = new MemoryEvents();
  readonly metrics = new MemoryMetrics();
  readonly http = new MemoryHttp();
  readonly faults = new Faults();
  /** Every call that `deps` opens passes here. */
  readonly ports = new Interposer(this.faults.layer);
  readonly config: DeploymentConfig;

  constructor(options: WorldOptions = {}) {
    this.clock = options.clock ?? new SettableClock(options.now ?? 1_800_000_000);
    const seed = options.seed ?? 'curfew';
    this.weather = options.weather ?? new Weather(seed, ALWAYS);
    this.weather.follow(this.clock);
    this.ports.add(this.weather.layer);
    this.tables = new MemoryTables(this.weather);
    this.functions = new MemoryFunctions(this.weather);
    this.random = new SeededRandom(seed);
    // A stream of its own: how many keys are born changes no other draw.
    this.kms = new MemoryKms(this.clock, new SeededRandom(`${seed}, keys`), this.weather);
    this.sealer = new MemorySealer(this.random);
    this.hrSources.write(options.sources ?? {});
    this.secrets.rotate('pepper', this.random.bytes(32).toString('base64url'));

    const publicUseOf = (name: FunctionName) => policyAllowing([roleArn(name)], ['kms:Sign', 'kms:GetPublicKey']);
    const denyPolicyArn = `arn:aws:iam::${ACCOUNT}:policy/curfew-${INSTANCE}-leaver-deny`;
    this.iam = new MemoryIam(denyPolicyArn, ACCOUNT, this.clock, this.weather);
    this.config = {
      instance: INSTANCE,
      accountId: ACCOUNT,
      settings: parseSettings(options.settings),
      publicBaseUrl: 'https://curfew.test',
      feedKeyArn: this.kms.createKey({ algorithm: 'ES256', policy: publicUseOf('publisher') }),
      checkpointKeyArn: this.kms.createKey({ algorithm: 'EdDSA', policy: publicUseOf('sequencer') }),
      logOrigin: 'curfew.test/log',
      shredKeyArn: `arn:aws:kms:us-east-1:${ACCOUNT}:key/shred`,
      pepperSecretArn: `arn:aws:secretsmanager:us-east-1:${ACCOUNT}:secret:pepper`,
      denyPolicyArn,
      stateMachineArn: `arn:aws:states:us-east-1:${ACCOUNT}:stateMachine:curfew-${INSTANCE}`,
      eventBusName: 'default',
      roleArns: {
        issuer: roleArn('issuer'),
        resigner: roleArn('resigner'),
        rotator: roleArn('rotator'),
        disabler: roleArn('disabler'),
      },
      hrSourcesArn: `arn:aws:secretsmanager:us-east-1:${ACCOUNT}:secret:hr-sources`,
      ...options.config,
    };
  }

  /** What the Lambda of this name can reach, and no more. */
  deps<F extends FunctionName>(name: F): Deps<F> {
    const rights: readonly string[] = RIGHTS[name];
    const role = roleArn(name);
    const ports: Omit<AllPorts, keyof PortsFor<never>> = {
      tables: this.tables.restricted(rights),
      signer: this.kms.signerFor(role),
      ringKeys: this.kms.ringKeysFor(role),
      keyDisabler: this.kms.disablerFor(role),
      objects: this.objects.restricted(rights),
      functions: this.functions.restricted(rights),
      sealer: this.sealer,
      secrets: this.secrets.restricted(rights),
      hrSources: this.hrSources,
      iam: this.iam,
      latch: this.iam,
      iamDisabler: this.iam,
      latchRelease: this.iam,
      iamEnabler: this.iam,
      keyEnabler: this.kms.enablerFor(role),
      workflow: this.workflow,
      stacks: this.stacks,
      events: this.events,
      metrics: this.metrics,
      http: this.http,
    };
    const opened = [...portsOpenedFor(name)].map((port) => [port, this.ports.between(name, port, ports[port])]);
    const { random, config } = this;
    const { sleep } = this.ports.between(name, 'clock', this.clock);
    const clock = { now: () => this.clock.now() + this.weather.skew(), sleep };
    return { clock, random, config, ...Object.fromEntries(opened) } as Deps<F>;
  }
}

/** The role of each Lambda, by the fixed names that key policies use; the ring deployer runs in the rotator's. */
export function roleArn(name: FunctionName): string {
  return `arn:aws:iam::${ACCOUNT}:role/curfew-${INSTANCE}-${name === 'ring-deployer' ? 'rotator' : name}`;
}
