/**
 * The state machine of a case, built from `STEPS` of `lib/domain/cases/steps.ts` and from nothing else.
 *
 * Every effect is a Lambda under its own role; the machine passes references only: a case id, item numbers, batches of
 * ledger shards. What an execution forgets, the case table knows: the ticker
 * follows one that failed by the next attempt (lib/work/cases/start-case.ts), and each step finds what it did.
 */
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import {
  Chain,
  Choice,
  Condition,
  DefinitionBody,
  DistributedMap,
  Map as ItemMap,
  JitterType,
  JsonPath,
  LogLevel,
  Pass,
  type RetryProps,
  StateMachine,
  Succeed,
  TaskInput,
  Timeout,
  Wait,
  WaitTime,
} from 'aws-cdk-lib/aws-stepfunctions';
import { LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { Construct } from 'constructs';
import { CurfewError } from '../../domain/base/errors';
import { STEPS, type Step } from '../../domain/cases/steps';
import type { FunctionName } from '../../domain/deployment/rights';
import type { Settings } from '../../domain/deployment/settings';
import { waitSeconds } from '../../domain/deployment/time-outs';
import { pinLogicalId } from '../parts/stage';

/** Items of a case touch different things, so they may go at once; IAM's rate limits are what bounds them. */
const ITEMS_AT_ONCE = 5;
/** KMS signs some hundreds a second for a whole account, and issuing goes on beside a wave. */
const BATCHES_AT_ONCE = 8;

const CASE = { caseId: JsonPath.stringAt('$.caseId'), attempt: JsonPath.numberAt('$.attempt') };
/**
 * Every step is safe to run twice, so any error may be tried again; what persists fails the attempt. The waits are
 * drawn between nothing and 1, 2, 4, 8, 16, 20 s: what was throttled together does not come back together.
 */
const RETRY = {
  errors: ['States.ALL'],
  interval: Duration.seconds(1),
  backoffRate: 2,
  maxDelay: Duration.seconds(20),
  maxAttempts: 6,
  jitterStrategy: JitterType.FULL,
};
/**
 * An item that hung is tried once more and then left open: each try of it takes minutes, and the steps after the map,
 * which tell verifiers and end keys, wait for its last item. A Lambda stopped at its own time-out goes by two names.
 */
const RETRY_HUNG = { ...RETRY, errors: ['States.Timeout', 'Sandbox.Timedout', 'Lambda.Unknown'], maxAttempts: 1 };

interface CaseWorkflowProps {
  readonly settings: Settings;
  /** The functions that `STEPS` names. */
  readonly functions: { readonly [F in FunctionName]?: IFunction };
}

export class CaseWorkflow extends Construct {
  readonly stateMachine: StateMachine;
  private readonly functions: CaseWorkflowProps['functions'];
  private readonly settings: Settings;

  constructor(scope: Construct, id: string, { functions, settings }: CaseWorkflowProps) {
    super(scope, id);
    this.functions = functions;
    this.settings = settings;
    const logs = new LogGroup(this, 'Logs', {
      retention: RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    pinLogicalId(logs, 'LogsCaseWorkflow');
    this.stateMachine = new StateMachine(this, 'Machine', {
      definitionBody: DefinitionBody.fromChainable(this.chain(STEPS)),
      logs: {
        destination: logs,
        level: LogLevel.ALL,
        // Input and output are references only, but what is not logged cannot leak when that changes.
        includeExecutionData: false,
      },
      tracingEnabled: true,
    });
    // A machine that is deleted ends its executions: a departure would stop between two steps.
    pinLogicalId(this.stateMachine, 'StateMachineCase');
    pinLogicalId(this.stateMachine.role, 'RoleStateMachineCase');
  }

  private chain(steps: readonly Step[]): Chain {
    const groups: Step[][] = [];
    for (const step of steps) {
      const last = groups.at(-1);
      if (last && last[0]?.onlyIfTainted === step.onlyIfTainted) last.push(step);
      else groups.push([step]);
    }
    return groups.map((group) => this.group(group)).reduce((before, after) => before.next(after));
  }

  /** Steps in a row that are all passed over where nothing is tainted, or none of them. */
  private group(steps: readonly Step[]): Chain {
    const inOrder = steps.map((step) => this.step(step)).reduce((before, after) => before.next(after));
    if (!steps[0]?.onlyIfTainted) return inOrder;
    return new Choice(this, `${steps[0].name}?`)
      .when(Condition.booleanEquals('$.plan.tainted', true), inOrder)
      .afterwards({ includeOtherwise: true });
  }

  private step(step: Step): Chain {
    switch (step.kind) {
      case 'task':
        return step.mayFail
          ? this.triedOnce(step)
          : Chain.start(this.invoke(step.name, step.function, { step: step.step }, `$.${step.name}`));
      case 'map':
        return Chain.start(this.items(step));
      case 'wave':
        return Chain.start(this.wave(step.name, step));
      case 'wait':
        return Chain.start(
          new Wait(this, step.name, { time: WaitTime.duration(Duration.seconds(this.settings[step.setting])) }),
        );
      case 'hold':
        return new Choice(this, `${step.name}?`)
          .when(Condition.booleanEquals(`$.${step.when}`, true), new Succeed(this, `${step.name} (held)`))
          .afterwards({ includeOtherwise: true });
      case 'loop':
        return this.loop(step);
    }
  }

  /** Its error is in the log of the function, and the next step begins all the same. */
  private triedOnce({ name, function: of, step }: Extract<Step, { kind: 'task' }>): Chain {
    const task = this.invoke(name, of, { step }, JsonPath.DISCARD, []);
    const left = new Pass(this, `${name} left`);
    task.addCatch(left, { errors: ['States.ALL'], resultPath: JsonPath.DISCARD });
    return Chain.custom(task, [task, left], task);
  }

  /** One invocation an item. What fails after its retries is left open, for the prover to find and the closer to name. */
  private items(step: Extract<Step, { kind: 'map' }>): ItemMap {
    const item = this.invoke(
      `${step.name} item`,
      step.function,
      { step: step.step, nn: JsonPath.stringAt('$.nn') },
      JsonPath.DISCARD,
      [RETRY_HUNG, RETRY],
    );
    // States.ALL catches States.Timeout too.
    item.addCatch(new Pass(this, `${step.name} item left open`), {
      errors: ['States.ALL'],
      resultPath: JsonPath.DISCARD,
    });
    return new ItemMap(this, step.name, {
      itemsPath: `$.${step.over}`,
      maxConcurrency: ITEMS_AT_ONCE,
      itemSelector: { ...CASE, nn: JsonPath.stringAt('$$.Map.Item.Value.nn') },
      resultPath: JsonPath.DISCARD,
    }).itemProcessor(item);
  }

  /** A child execution a batch; one that fails fails the wave: a kid is never denied over tokens left behind. */
  private wave(name: string, { over, pass }: { readonly over: string; readonly pass: number }): DistributedMap {
    const batch = (field: string) => JsonPath.stringAt(`$$.Map.Item.Value.${field}`);
    const resign = new LambdaInvoke(this, `${name} batch`, {
      lambdaFunction: this.function('resigner'),
      payloadResponseOnly: true,
      retryOnServiceExceptions: false,
      taskTimeout: Timeout.duration(Duration.seconds(waitSeconds('resigner'))),
    });
    return new DistributedMap(this, name, {
      itemsPath: `$.${over}`,
      maxConcurrency: BATCHES_AT_ONCE,
      itemSelector: {
        ring: batch('ring'),
        fromKid: batch('fromKid'),
        shards: JsonPath.listAt('$$.Map.Item.Value.shards'),
        pass,
      },
      resultPath: JsonPath.DISCARD,
    }).itemProcessor(resign.addRetry(RETRY));
  }

  private loop(step: Extract<Step, { kind: 'loop' }>): Chain {
    const ask = this.invoke(step.name, step.function, { step: step.step }, `$.${step.name}`);
    const again = Chain.start(this.wave(`${step.name} wave`, step)).next(
      new Wait(this, `${step.name} wait`, { time: WaitTime.secondsPath(`$.${step.waitSeconds}`) }),
    );
    again.next(ask);
    const done = new Pass(this, `${step.name} done`);
    ask.next(
      new Choice(this, `${step.name}?`).when(Condition.booleanEquals(`$.${step.until}`, true), done).otherwise(again),
    );
    return Chain.custom(ask, [done], done);
  }

  private invoke(
    name: string,
    fn: FunctionName,
    payload: Readonly<Record<string, string | number>>,
    resultPath: string,
    retries: readonly RetryProps[] = [RETRY],
  ): LambdaInvoke {
    const task = new LambdaInvoke(this, name, {
      lambdaFunction: this.function(fn),
      payload: TaskInput.fromObject({ ...CASE, ...payload }),
      payloadResponseOnly: true,
      resultPath,
      retryOnServiceExceptions: false,
      taskTimeout: Timeout.duration(Duration.seconds(waitSeconds(fn))),
    });
    for (const retry of retries) task.addRetry(retry);
    return task;
  }

  private function(name: FunctionName): IFunction {
    const fn = this.functions[name];
    if (fn) return fn;
    throw new CurfewError('ERR_CONFIG_INVALID', `a step names ${name}, which the workflow was not given`);
  }
}
