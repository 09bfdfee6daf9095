/**
 * Watches what comes of each right: of every Lambda's, through `World.deps`, and of every command's.
 *
 * A right is used when a call under it changed something or returned something. A `check` is used when a transaction is
 * refused for nothing but checks: without it something wrong would have been written.
 *
 * A watch may withhold one right of one caller, quietly: reads find nothing, writes and checks are left out of their
 * transaction, effects do not happen. That is harder to notice than the refusal of IAM, so what notices it needs the
 * right for what it gives, and not because the call is made.
 */
import { CurfewError } from '../../../lib/domain/base/errors';
import type { AccessRight, CommandName } from '../../../lib/domain/deployment/access';
import { COMMAND_RIGHTS } from '../../../lib/domain/deployment/access';
import { type FunctionName, RIGHTS, type Right } from '../../../lib/domain/deployment/rights';
import type { TableName, Write } from '../../../lib/domain/store/table';
import { keyOf } from '../../../lib/domain/store/transaction';
import { holds } from '../../../lib/local/tables';
import { World, type WorldOptions } from '../../../lib/local/world';
import type { Deps } from '../../../lib/ports';
import { type PortName, portOpenedBy } from '../../../lib/ports-opened';

export type Caller = FunctionName | CommandName;
export interface Use {
  readonly caller: Caller;
  readonly right: AccessRight;
}

type Call = (...args: readonly never[]) => Promise<unknown>;

/** What is left of a call whose right is withheld; what is not here has no quiet form, and is refused. */
const QUIETLY: Readonly<Record<string, unknown>> = {
  'tables.get': undefined,
  'tables.query': [],
  'objects.get': undefined,
  'objects.list': [],
  'objects.put': undefined,
  'functions.invoke': {},
  'secrets.values': [],
  'sealer.seal': '',
  'iam.user': undefined,
  'iam.accessKeys': [],
  'iam.hasLoginProfile': false,
  'iam.attachedPolicyArns': [],
  'latch.attachDenyPolicy': undefined,
  'latch.tagLeaver': undefined,
  'iamDisabler.deactivateAccessKey': undefined,
  'iamDisabler.deleteLoginProfile': undefined,
  'workflow.start': undefined,
  'workflow.isRunning': false,
  'stacks.isRollingBack': false,
  'events.put': undefined,
  'metrics.put': undefined,
  'http.get': { status: 404, body: '' },
};
/** They change nothing: one that finds nothing was of no use. Whatever else returns has done something. */
const READS = /^(tables|iam)\.|\.(get|list|values|isRunning|isRollingBack|find|grants)$/;

export class Watch {
  readonly used = new Map<string, Use>();
  calls = 0;

  constructor(
    private readonly withheld?: Use,
    /** A scenario that a right is withheld from may go round and round. */
    private readonly callsMax = Number.POSITIVE_INFINITY,
  ) {}

  /** The same ports, watched. */
  over<P extends object>(caller: Caller, ports: P, world: World): P {
    const watched = Object.entries(ports).map(([name, port]) => [
      name,
      ['clock', 'random', 'config'].includes(name) ? port : this.port(caller, name as PortName, port, world),
    ]);
    return Object.fromEntries(watched) as P;
  }

  private port(caller: Caller, name: PortName, port: object, world: World): object {
    return new Proxy(port, {
      get: (target, member) => {
        const method = Reflect.get(target, member);
        if (typeof method !== 'function') return method;
        const call = method.bind(target) as Call;
        return (...args: readonly never[]) => {
          if (++this.calls > this.callsMax) throw new Error(`${caller} goes round and round`);
          if (member === 'transact') return this.transact(caller, args[0] as unknown as readonly Write[], call, world);
          const right = rightFor(caller, name, String(member), args);
          return this.call({ caller, right }, `${name}.${String(member)}`, () => call(...args));
        };
      },
    });
  }

  private async call(use: Use, method: string, run: () => Promise<unknown>): Promise<unknown> {
    if (this.isWithheld(use)) {
      if (method in QUIETLY) return QUIETLY[method];
      throw new CurfewError('ERR_ACCESS_DENIED', `${use.caller} may not ${use.right}`);
    }
    const answer = await run();
    if (!(READS.test(method) && isNothing(answer))) this.note(use);
    return answer;
  }

  private async transact(caller: Caller, writes: readonly Write[], call: Call, world: World): Promise<void> {
    const useOf = ({ table, kind }: Write): Use => ({ caller, right: `${table}:${kind}` });
    const kept = writes.filter((write) => !this.isWithheld(useOf(write)));
    if (kept.length === 0) return;
    const run = () => call(kept as never);
    // What is used is known by now.
    if (this.withheld) return void (await run());

    const rowsNow = () => Promise.all(kept.map((write) => world.tables.get(write.table as TableName, keyOf(write))));
    const before = await rowsNow();
    try {
      await run();
    } catch (error) {
      const found = await rowsNow();
      const failing = kept.filter((write, n) => !(write.if ?? []).every((test) => holds(test, found[n])));
      if (failing.every(({ kind }) => kind === 'check')) for (const write of failing) this.note(useOf(write));
      throw error;
    }
    const after = await rowsNow();
    for (const [n, write] of kept.entries())
      if (JSON.stringify(before[n]) !== JSON.stringify(after[n])) this.note(useOf(write));
  }

  private isWithheld({ caller, right }: Use): boolean {
    return caller === this.withheld?.caller && right === this.withheld.right;
  }

  private note(use: Use): void {
    this.used.set(nameOf(use), use);
  }
}

export function nameOf({ caller, right }: Use): string {
  return `${caller}: ${right}`;
}

/** Every right of this caller, by the tables that the product reads. */
export function rightsOf(caller: Caller): readonly AccessRight[] {
  return caller in RIGHTS ? RIGHTS[caller as FunctionName] : COMMAND_RIGHTS[caller as CommandName];
}

/** The right that a call is made under; where several open one port, its first argument names it. */
function rightFor(caller: Caller, port: PortName, method: string, [first]: readonly unknown[]): AccessRight {
  switch (port) {
    case 'tables':
      return `${(first as { readonly table: TableName }).table}:${method}` as Right;
    case 'objects':
      return `${first}:${method}` as Right;
    case 'functions':
      return `invoke:${first}`;
    case 'secrets':
      return first === 'pepper' ? 'secret:pepper' : 'secret:webhook';
    default:
      return rightsOf(caller).find((right) => isInMemory(right) && portOpenedBy(right) === port) as Right;
  }
}

/** Those that no port opens are asked of AWS by the CLI itself: there is nothing of them in memory. */
export function isInMemory(right: AccessRight): right is Right {
  return (!/:(look|read)$/.test(right) && !right.startsWith('post:')) || right === 'iam:read';
}

function isNothing(answer: unknown): boolean {
  return answer === undefined || answer === false || (Array.isArray(answer) && answer.length === 0);
}

/** A deployment in memory whose Lambdas are watched. */
export class WatchedWorld extends World {
  constructor(
    options: WorldOptions,
    private readonly watch: Watch,
  ) {
    super(options);
  }

  override deps<F extends FunctionName>(name: F): Deps<F> {
    return this.watch.over(name, super.deps(name), this);
  }
}
