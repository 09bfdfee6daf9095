/** A deployment with people in it: the HR webhook, the case Lambdas under their own rights, and the state machine by STEPS. */

import { Webhook } from 'standardwebhooks';
import { append } from '../../lambdas/appender';
import { fold, foldStream } from '../../lambdas/case-folder';
import { closer } from '../../lambdas/closer';
import { conduct } from '../../lambdas/conductor';
import { disableKey } from '../../lambdas/disabler';
import { disableInIam } from '../../lambdas/iam-disabler';
import { receiveWebhook } from '../../lambdas/intake';
import { applyLatch } from '../../lambdas/latch';
import { importPeople } from '../../lambdas/people-import';
import { planner } from '../../lambdas/planner';
import { prove } from '../../lambdas/prover';
import { publishFeed } from '../../lambdas/publisher';
import { recheck, recheckDue } from '../../lambdas/rechecker';
import { resignBatch } from '../../lambdas/resigner';
import { openTaint } from '../../lambdas/taint-opener';
import { isCurfewError } from '../../lib/domain/base/errors';
import { type DepartureCase, departureOnly } from '../../lib/domain/cases/case';
import { STEPS, type Step } from '../../lib/domain/cases/steps';
import type { StepRequest } from '../../lib/domain/deployment/messages';
import type { EvidenceRecord } from '../../lib/domain/evidence/record';
import { CASE } from '../../lib/domain/store/case';
import type { WaveBatch } from '../../lib/domain/tokens/wave';
import { policyAllowing } from '../../lib/local/kms';
import { roleArn, type World } from '../../lib/local/world';
import { relay } from '../../lib/work/evidence/relay';
import { APPROVERS, deployApprovers, wireDecisions } from './approvers';
import { type MakeWorld, NOW, RING, type SigningWorld, signingWorld } from './signing-world';

export const WORKER = 'W-1042';
export const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
export const BAMBOO_SECRET = 'a-private-key-of-bamboohr';
const SOURCES = {
  hr: { scheme: 'standard-webhooks', corroboration: 'signed-fact', secretArn: 'arn:hr' },
  bamboo: { scheme: 'bamboohr', corroboration: 'confirmed', zone: 'UTC', secretArn: 'arn:bamboo' },
  payroll: { scheme: 'standard-webhooks', corroboration: 'confirmed', origin: 'sap', secretArn: 'arn:payroll' },
} as const;

export interface DepartureWorld extends SigningWorld {
  readonly personalKeyArn: string;
}

/** W-1042 has an IAM user with two access keys and a console login, a token subject and a KMS key of their own. */
export async function departureWorld(make?: MakeWorld): Promise<DepartureWorld> {
  const world = wireOffboarding(await signingWorld({ sources: SOURCES, config: { approvers: APPROVERS } }, make));
  wireDecisions(world);
  await deployApprovers(world, world.config.approvers);
  world.secrets.rotate('hr', SECRET);
  world.secrets.rotate('bamboo', BAMBOO_SECRET);
  world.secrets.rotate('payroll', SECRET);
  const arn = world.iam.addUser('mallory', { accessKeyIds: ['AKIA1', 'AKIA2'], loginProfile: true });
  world.iam.addUser('colleague', { accessKeyIds: ['AKIA3'], loginProfile: true });
  const personalKeyArn = world.kms.createKey({
    algorithm: 'ES256',
    policy: policyAllowing(
      [roleArn('disabler'), roleArn('key-enabler')],
      ['kms:DisableKey', 'kms:EnableKey', 'kms:DescribeKey', 'kms:GetKeyPolicy'],
    ),
  });
  const principals = [
    { type: 'iam-user', arn },
    { type: 'subject', ring: RING, sub: 'mallory' },
    { type: 'kms-key', arn: personalKeyArn },
  ];
  const exposures = [
    {
      asset: `kid:${RING}/${world.legacy.jwk.kid}`,
      class: 'copied-possible',
      how: 'kept the PEM on a laptop',
      since: NOW - 1000,
    },
    { asset: `ring:${RING}`, class: 'could-deploy', how: 'deploys the issuer', since: NOW - 1000 },
  ];
  await importPeople(
    { workers: [{ workerId: WORKER, principals, exposures }] },
    world.deps('people-import'),
    'AIDAIMPORTER0001',
  );
  return Object.assign(world, { personalKeyArn });
}

function wireOffboarding(world: SigningWorld): SigningWorld {
  world.functions.register('latch', (request) => applyLatch(request, world.deps('latch')));
  world.functions.register('iam-disabler', (request) => disableInIam(request, world.deps('iam-disabler')));
  world.functions.register('disabler', (request) => disableKey(request, world.deps('disabler')));
  world.functions.register('case-folder', (request) => fold(request, world.deps('case-folder')));
  world.functions.register('appender', (request) => append(request, world.deps('appender')));
  world.functions.register('planner', (request) => planner(request, world.deps('planner')));
  world.functions.register('conductor', (request) => conduct(request, world.deps('conductor')));
  world.functions.register('prover', (request) => prove(request, world.deps('prover')));
  world.functions.register('taint-opener', (request) => openTaint(request, world.deps('taint-opener')));
  return world;
}

export interface Said {
  readonly type?: string;
  readonly workerId?: string;
  /** An instant, or a bare day. */
  readonly effectiveAt?: number | string;
  readonly id?: string;
  readonly source?: string;
  /** The event's own time. */
  readonly saidAt?: number;
  readonly employmentId?: string;
}

export function delivery(
  world: World,
  {
    type = 'worker.terminated',
    workerId = WORKER,
    effectiveAt = world.clock.now(),
    id = 'msg_1',
    source = 'hr',
    saidAt = world.clock.now(),
    employmentId,
  }: Said = {},
) {
  const now = new Date(world.clock.now() * 1000);
  const at = typeof effectiveAt === 'string' ? effectiveAt : new Date(effectiveAt * 1000).toISOString();
  const data = { workerId, effectiveAt: at, employmentId };
  const body = JSON.stringify({ type, timestamp: new Date(saidAt * 1000).toISOString(), data });
  const headers = {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(world.clock.now()),
    'webhook-signature': new Webhook(SECRET).sign(id, now, body),
  };
  return { pathParameters: { source }, headers, body, isBase64Encoded: false };
}

/** The webhook, and what its stream does with it. */
export async function send(world: World, said: Said = {}): Promise<number | undefined> {
  const { statusCode } = await receiveWebhook(delivery(world, said), world.deps('intake'));
  await foldInbox(world);
  return statusCode;
}

export async function foldInbox(world: World): Promise<void> {
  const inserted = world.tables.takeStream('inbox');
  const Records = inserted.map(({ pk, sk }) => ({
    eventName: 'INSERT' as const,
    dynamodb: { Keys: { pk: { S: pk }, sk: { S: sk } } },
  }));
  await foldStream({ Records }, world.deps('case-folder'));
}

/** Of a departure; a case that ends a key is no answer. */
export async function metaOf(world: World, caseId: string): Promise<DepartureCase> {
  const meta = await world.tables.parsed.get(CASE, caseId);
  if (!meta) throw new Error(`no case ${caseId}`);
  return departureOnly(meta);
}

/** Every case about a departure. */
export function metas(world: World): DepartureCase[] {
  return world.tables
    .dump('cases')
    .filter(({ sk }) => sk === 'META')
    .map((item) => CASE.parse(item))
    .filter((meta) => meta.kind === 'departure');
}

/** As the operator imports it. */
export function imported(
  world: World,
  workerId: string,
  principals: readonly object[],
  exposures: readonly object[] = [],
) {
  return importPeople(
    { workers: [{ workerId, principals, exposures }] },
    world.deps('people-import'),
    'AIDAIMPORTER0001',
  );
}

/** Some time goes by, and the clock of the rechecker strikes. */
export async function strike(world: World, after = 60): Promise<void> {
  world.clock.advance(after);
  await publishFeed({ ring: RING }, world.deps('publisher'));
  await recheckDue(world.deps('rechecker'));
}

/** Records of all cases, as they stand in the outbox. */
export function outbox(world: World): EvidenceRecord[] {
  return world.tables
    .dump('cases')
    .filter(({ sk }) => sk.startsWith('OUT#'))
    .map(({ record }) => record as unknown as EvidenceRecord);
}

/** What the log would hold: the records of all cases, and those of the rings. */
export function allRecords(world: World): EvidenceRecord[] {
  const ofRings = world.tables.dump('keys').filter(({ sk }) => sk.startsWith('OUT#'));
  return [...outbox(world), ...ofRings.map(({ record }) => record as unknown as EvidenceRecord)];
}

/** Each step dies at its n-th effect and is run again. Answers, after the execution, how many had so many effects. */
export function dyingAt(world: World, n: number, mode: 'before' | 'after'): { readonly via: Invoke; killed: number } {
  const deaths = { via: (_request: StepRequest, run: () => Promise<unknown>) => step(run), killed: 0 };
  const step = async (run: () => Promise<unknown>) => {
    world.faults.crashAt(n, mode);
    const [outcome] = await Promise.allSettled([run()]);
    const died = world.faults.crashed;
    world.faults.restart();
    if (died) deaths.killed++;
    else if (outcome.status === 'rejected') throw outcome.reason;
    return died || outcome.status === 'rejected' ? run() : outcome.value;
  };
  return deaths;
}

export async function drainOutboxes(world: World): Promise<void> {
  await relay(world.tables.takeStream('keys'), world.deps('outbox-signing'));
  await relay(world.tables.takeStream('cut-offs'), world.deps('outbox-signing'));
  await relay(world.tables.takeStream('cases'), world.deps('outbox-offboarding'));
}

type Answers = Record<string, Record<string, unknown>>;
type Invoke = (request: StepRequest, run: () => Promise<unknown>) => Promise<unknown>;

/**
 * The state machine: the same table as the construct reads, with waits that move the clock. Items of a map run beside
 * each other, or one by one where `via` stands between, to kill them.
 */
export async function execute(
  world: World,
  caseId: string,
  attempt: number,
  via?: Invoke,
  /** Of a simulation that has streams of its own: how the batches of a wave are run. */
  viaWave?: (run: () => Promise<unknown>) => Promise<unknown>,
): Promise<Answers> {
  const answers: Answers = {};
  const at = (path: string) => path.split('.').reduce<unknown>((value, name) => (value as Answers)[name], answers);
  const call = (fn: string, step: string, nn?: string) => {
    const request: StepRequest = { caseId, attempt, step, ...(nn !== undefined && { nn }) };
    const run = () => retried(world, () => invoke(world, fn, request));
    return (via ? via(request, run) : run()) as Promise<Record<string, unknown>>;
  };
  const resign = viaWave ?? ((run: () => Promise<unknown>) => run());
  const wave = async (batches: readonly WaveBatch[], pass: number) => {
    for (const batch of batches) await resign(() => resignBatch({ ...batch, pass }, world.deps('resigner')));
  };

  for (const step of STEPS as readonly Step[]) {
    if (step.onlyIfTainted && answers.plan?.tainted !== true) continue;
    switch (step.kind) {
      case 'task':
        if (step.step === 'seal' && viaWave === undefined) await drainOutboxes(world);
        answers[step.name] = await call(step.function, step.step).catch((error) => {
          if (!step.mayFail || !isCurfewError(error)) throw error;
          return {};
        });
        break;
      case 'map':
        await mapItems(
          at(step.over) as { nn: string }[],
          ({ nn }) => call(step.function, step.step, nn),
          via === undefined,
        );
        break;
      case 'wave':
        await wave(at(step.over) as WaveBatch[], step.pass);
        break;
      case 'wait':
        await world.clock.sleep(world.config.settings[step.setting]);
        break;
      case 'hold':
        if (at(step.when) !== true) break;
        if (viaWave === undefined) await drainOutboxes(world);
        return answers;
      case 'loop':
        for (;;) {
          answers[step.name] = await call(step.function, step.step);
          if (at(step.until) === true) break;
          await wave(at(step.over) as WaveBatch[], step.pass);
          await world.clock.sleep(at(step.waitSeconds) as number);
        }
    }
  }
  return answers;
}

/** As the machine asks again: a step that failed may succeed in a moment. */
const TRIES = 3;

async function retried<T>(world: World, run: () => Promise<T>): Promise<T> {
  for (let n = 1; ; n++) {
    try {
      return await run();
    } catch (error) {
      if (!isCurfewError(error) || !world.weather.isRough || n === TRIES) throw error;
      await world.clock.sleep(n);
    }
  }
}

/** As many as the machine has at once. */
const ITEMS_AT_ONCE = 5;

/** As the machine's maps do: each item is caught on its own, and left open. */
async function mapItems<T>(items: readonly T[], run: (item: T) => Promise<unknown>, together: boolean): Promise<void> {
  const caught = (item: T) =>
    run(item).catch((error) => {
      if (!isCurfewError(error)) throw error;
    });
  const width = together ? ITEMS_AT_ONCE : 1;
  for (let n = 0; n < items.length; n += width) await Promise.all(items.slice(n, n + width).map(caught));
}

function invoke(world: World, fn: string, request: StepRequest): Promise<unknown> {
  if (fn === 'planner') return planner(request, world.deps('planner'));
  if (fn === 'conductor') return conduct(request, world.deps('conductor'));
  if (fn === 'rechecker') return recheck(request, world.deps('rechecker'));
  if (fn === 'prover') return prove(request, world.deps('prover'));
  if (fn === 'closer') return closer(request, world.deps('closer'));
  throw new Error(`no such function ${fn}`);
}
