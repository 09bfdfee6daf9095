/** Looks through the outboxes on a schedule, for what their streams forgot (`lib/work/evidence/sweep.ts` says how). */
import { Duration } from 'aws-cdk-lib';
import { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import type { Construct } from 'constructs';
import { SWEEP_EVERY_SECONDS } from '../../domain/deployment/time-outs';
import type { CurfewFunction } from './curfew-function';
import { CurfewSchedule } from './schedule';
import { countUnreadable } from './unreadable';

export function sweepOutbox(scope: Construct, sweeper: CurfewFunction, instance: string): void {
  new CurfewSchedule(scope, 'Sweep', {
    target: sweeper,
    every: ScheduleExpression.rate(Duration.seconds(SWEEP_EVERY_SECONDS)),
    input: {},
  });
  countUnreadable(sweeper, instance);
}
