/** The departure: the signed webhook, and the case as it runs. */

import { setTimeout as pause } from 'node:timers/promises';
import { DescribeExecutionCommand, SFNClient } from '@aws-sdk/client-sfn';
import { type CaseMeta, executionName } from '../lib/domain/cases/case';
import { CASE } from '../lib/domain/store/case';
import { SCHEDULE } from '../lib/domain/store/worker';
import type { Before } from './before';
import { WORKER } from './cast';
import { Sampler } from './sampler';
import { now, type Stage } from './stage';
import { departure, post, signed } from './webhook';

export interface Departure {
  readonly meta: CaseMeta;
  readonly hrEventAt: number;
  readonly acceptedAt: number;
  readonly answeredWithin: number;
  /** Newest answer to `was it a single case` at the end. */
  readonly duplicate: { readonly status: number; readonly code: string };
  readonly sampler: Sampler;
}

/** A case that is not closed by then is reported as it stands. */
const PATIENCE_SECONDS = 150;

export async function depart(stage: Stage, { webhookSecret, forged, members }: Before): Promise<Departure> {
  const { say, checks, intakeUrl } = stage;
  const hrEventAt = now();
  const delivery = departure(webhookSecret, hrEventAt);

  const tampered = await post(intakeUrl, { ...delivery, body: delivery.body.replace(WORKER, 'W-0001') });
  const stale = await post(intakeUrl, signed(webhookSecret, hrEventAt - 400, delivery.body));
  checks.claim('tampered-webhook-refused', 'a webhook whose body was changed is refused', 'ERR_WEBHOOK_SIGNATURE', {
    answer: tampered.code,
    by: `intake, ${tampered.status}`,
  });
  checks.claim('stale-webhook-refused', 'a webhook older than the window is refused', 'ERR_WEBHOOK_TOO_OLD', {
    answer: stale.code,
    by: `intake, ${stale.status}`,
  });

  const genuine = members[0]?.token ?? '';
  const sampler = new Sampler(
    { verify: (token) => stage.service.verify(token), readFeed: stage.readFeed },
    stage.shop.legacy.kid,
    { forged: forged[0] ?? '', genuine },
  );
  sampler.start();

  const posted = Date.now();
  const accepted = await post(intakeUrl, delivery);
  const acceptedAt = Date.now() / 1000;
  const answeredWithin = (Date.now() - posted) / 1000;
  say(`HR says that W-1042 has left: webhook answered ${accepted.status} in ${answeredWithin.toFixed(2)} s`);
  const duplicate = await post(intakeUrl, delivery);

  const meta = await watch(stage, await caseOf(stage));
  await sampler.stop();
  return { meta, hrEventAt, acceptedAt, answeredWithin, duplicate, sampler };
}

/** The newest case of the worker, which is there as soon as the inbox has been folded. */
async function caseOf({ instance }: Stage): Promise<string> {
  for (const started = Date.now(); Date.now() - started < PATIENCE_SECONDS * 1000; await pause(100)) {
    const newest = (await instance.tables.get(SCHEDULE, WORKER))?.caseIds.at(-1);
    if (newest !== undefined) return newest;
  }
  throw new Error(`no case was opened within ${PATIENCE_SECONDS} s`);
}

async function watch({ instance, say }: Stage, caseId: string): Promise<CaseMeta> {
  const started = Date.now();
  let said = '';
  for (;;) {
    const meta = await instance.tables.get(CASE, caseId);
    const elapsed = (Date.now() - started) / 1000;
    if (meta && meta.state !== said) {
      said = meta.state;
      say(`  ${elapsed.toFixed(1).padStart(5)} s  case is ${meta.state}`);
    }
    const execution =
      meta && meta.attempt > 0 ? await executionOf(instance.output('StateMachineArn'), executionName(meta)) : undefined;
    if (meta && execution?.status === 'SUCCEEDED' && meta.state === 'CLOSED') return meta;
    if (execution && execution.status !== 'RUNNING')
      throw new Error(
        `the execution of case ${caseId} ended as ${execution.status} with the case ${said}: ${execution.error ?? ''} ${execution.cause ?? ''}`,
      );
    if (elapsed > PATIENCE_SECONDS)
      throw new Error(`case ${caseId} is ${said || 'not there'} after ${PATIENCE_SECONDS} s`);
    await pause(300);
  }
}

async function executionOf(stateMachineArn: string, name: string) {
  try {
    return await new SFNClient({}).send(
      new DescribeExecutionCommand({
        executionArn: `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`,
      }),
    );
  } catch (error) {
    // Not started yet.
    if ((error as Error).name === 'ExecutionDoesNotExist') return undefined;
    throw error;
  }
}
