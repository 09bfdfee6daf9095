/**
 * What AWS runs around the Lambdas of a deployment, in one World and in virtual time: schedules that are late or fire
 * twice, streams that repeat and reorder, a state machine that tries again and may be stopped, an HR system that sends
 * until it is heard. Each of them draws from the weather of the World.
 */

import { foldStream } from '../../lambdas/case-folder';
import { commitIssued } from '../../lambdas/committer';
import { receiveWebhook } from '../../lambdas/intake';
import { publishFeed } from '../../lambdas/publisher';
import { recheckDue } from '../../lambdas/rechecker';
import { rotate } from '../../lambdas/rotator';
import { sequence } from '../../lambdas/sequencer';
import { tick as tickCases } from '../../lambdas/ticker';
import { isCurfewError } from '../../lib/domain/base/errors';
import type { Row, TableName } from '../../lib/domain/store/table';
import { isCrash } from '../../lib/local/faults';
import type { World } from '../../lib/local/world';
import { relay } from '../../lib/work/evidence/relay';
import { sweep } from '../../lib/work/evidence/sweep';
import { delivery, execute } from '../scenarios/departure-world';
import { RING } from '../scenarios/signing-world';

/** As the state machine has it: five tries more, each a drawn while after the one before. */
const STEP_TRIES = 6;
const RETRY_SECONDS_MAX = 20;
const BATCH = 25;

export class Deployment {
  /** Runs that failed for good: what AWS would put into a dead letter queue, or show as a failed execution. */
  readonly failed: Record<string, number> = {};
  private isOver = false;
  private readonly actors: Promise<void>[] = [];

  constructor(private readonly world: World) {
    this.every(60, 'publisher', () => publishFeed({ ring: RING }, world.deps('publisher')));
    this.every(60, 'committer', () => commitIssued({}, world.deps('committer')));
    this.every(60, 'sequencer', () => sequence({}, world.deps('sequencer')));
    this.every(60, 'ticker', () => tickCases(world.deps('ticker')));
    this.every(60, 'rechecker', () => recheckDue(world.deps('rechecker')));
    this.every(300, 'rotator', () => rotate({ op: 'tick', ring: RING }, world.deps('rotator')));
    this.every(900, 'sweeper-signing', () => sweep(['keys', 'cut-offs'], world.deps('sweeper-signing')));
    this.every(900, 'sweeper-offboarding', () => sweep(['cases'], world.deps('sweeper-offboarding')));
    this.stream('keys', (rows) => relay(rows, world.deps('outbox-signing')));
    this.stream('cut-offs', (rows) => relay(rows, world.deps('outbox-signing')));
    this.stream('cases', (rows) => relay(rows, world.deps('outbox-offboarding')));
    this.stream('inbox', (rows) =>
      foldStream(
        {
          Records: rows.map(({ pk, sk }) => ({
            eventName: 'INSERT' as const,
            dynamodb: { Keys: { pk: { S: pk }, sk: { S: sk } } },
          })),
        },
        world.deps('case-folder'),
      ),
    );
    this.actors.push(this.workflow());
  }

  /** HR sends until it gets a 2xx. */
  async hrSays(): Promise<void> {
    const { world } = this;
    for (;;) {
      try {
        const { statusCode = 500 } = await world.weather.invocation(() =>
          receiveWebhook(delivery(world), world.deps('intake')),
        );
        if (statusCode < 300) return;
      } catch (error) {
        if (!passes(error)) throw error;
      }
      await world.clock.sleep(30);
    }
  }

  async stop(): Promise<void> {
    this.isOver = true;
    await Promise.all(this.actors);
  }

  /** An asynchronous run of a Lambda: once more a minute later if it fails, and perhaps twice anyhow. */
  private async run(name: string, work: () => Promise<unknown>): Promise<void> {
    const { weather, clock } = this.world;
    for (let n = 1; n <= (weather.strikes('lambda.twice') ? 2 : 1); n++)
      for (let attempt = 1; ; attempt++) {
        try {
          await weather.invocation(work);
          break;
        } catch (error) {
          if (!passes(error)) throw error;
          if (attempt === 2) {
            this.failed[name] = (this.failed[name] ?? 0) + 1;
            break;
          }
          await clock.sleep(60);
        }
      }
  }

  private every(seconds: number, name: string, work: () => Promise<unknown>): void {
    const { weather, clock } = this.world;
    const fire = async () => {
      while (!this.isOver) {
        const late = weather.strikes('scheduler.late') ? weather.below(60) : 0;
        await clock.sleep(seconds + late);
        if (this.isOver) return;
        const runs = weather.strikes('scheduler.twice') ? 2 : 1;
        await Promise.all(Array.from({ length: runs }, () => this.run(name, work)));
      }
    };
    this.actors.push(fire());
  }

  /** At least once, in order within a partition; a batch that fails is tried again, in halves. */
  private stream(table: TableName, handle: (rows: Row[]) => Promise<unknown>): void {
    const { weather, clock, tables } = this.world;
    let waiting: Row[] = [];
    const pump = async () => {
      while (!this.isOver) {
        await clock.sleep(2);
        waiting.push(...tables.takeStream(table));
        if (waiting.length === 0) continue;
        if (weather.strikes('stream.reordered')) waiting = byPartition(waiting, (n) => weather.below(n));
        const size = weather.strikes('stream.apart') ? 1 + weather.below(3) : BATCH;
        const batch = waiting.slice(0, size);
        try {
          await weather.invocation(() => handle(batch));
          if (weather.strikes('stream.twice')) await weather.invocation(() => handle(batch));
          waiting = waiting.slice(batch.length);
        } catch (error) {
          if (!passes(error)) throw error;
        }
      }
    };
    this.actors.push(pump());
  }

  private async workflow(): Promise<void> {
    const { clock, workflow } = this.world;
    const begun = new Set<string>();
    const executions: Promise<void>[] = [];
    while (!this.isOver) {
      await clock.sleep(1);
      for (const [name, { caseId, attempt }] of workflow.started) {
        if (begun.has(name)) continue;
        begun.add(name);
        executions.push(this.execution(name, caseId, attempt));
      }
    }
    await Promise.all(executions);
  }

  private async execution(name: string, caseId: string, attempt: number): Promise<void> {
    const { world } = this;
    const step = (run: () => Promise<unknown>) => this.step(run);
    try {
      await execute(world, caseId, attempt, (_request, run) => step(run), step);
    } catch (error) {
      if (!passes(error)) throw error;
      this.failed.executions = (this.failed.executions ?? 0) + 1;
    } finally {
      world.workflow.end(name);
    }
  }

  private async step(run: () => Promise<unknown>): Promise<unknown> {
    const { weather, clock } = this.world;
    if (weather.strikes('workflow.killed')) throw new ExecutionStopped();
    for (let n = 1; ; n++) {
      try {
        return await weather.invocation(run);
      } catch (error) {
        if (!passes(error) || error instanceof ExecutionStopped || n === STEP_TRIES) throw error;
        await clock.sleep(1 + weather.below(RETRY_SECONDS_MAX));
      }
    }
  }
}

class ExecutionStopped extends Error {}

/** What AWS's retries are for. A bug is neither. */
function passes(error: unknown): boolean {
  return isCurfewError(error) || isCrash(error) || error instanceof ExecutionStopped;
}

/** Rows of different partitions in another order; those of one in theirs. */
function byPartition(rows: readonly Row[], below: (n: number) => number): Row[] {
  const left = new Map<string, Row[]>();
  for (const row of rows) left.set(row.pk, [...(left.get(row.pk) ?? []), row]);
  const order: Row[] = [];
  while (left.size > 0) {
    const pk = [...left.keys()][below(left.size)] ?? '';
    const [first, ...rest] = left.get(pk) ?? [];
    if (first) order.push(first);
    if (rest.length > 0) left.set(pk, rest);
    else left.delete(pk);
  }
  return order;
}
