/** What `curfew doctor` makes of the alarms: each is there, none is in ALARM but for youth, and each tells somebody. */

import { alarmNames } from '../deployment/alarm-names';
import type { CaseMetricName, MetricName } from '../deployment/metrics';
import { METRICS } from '../deployment/metrics';
import { type Ring, STANDBYS } from '../rings/ring';
import { isClosed, isStanding } from '../rings/rotation';
import { answersOf, type Finding, MAY_LOOK, type Seen } from './finding';
import { TICK_SECONDS_MAX } from './key-states';
import type { RingFacts } from './ring-diagnosis';
import { askAgainAt, bornAtOf, figuresDueAt } from './youth';

export interface AlarmFacts {
  readonly name: string;
  readonly state: string;
  readonly hasAction: boolean;
  /** Its actions are disabled. */
  readonly isMuted: boolean;
}

export interface AlarmedInstance {
  readonly instance: string;
  /** Epoch seconds. */
  readonly at: number;
  /** States by name; undefined where there is none. */
  readonly stacks: Readonly<Record<string, string | undefined>>;
  /** Epoch seconds at which the signing stack was made, where that is known: its alarms are as old. */
  readonly signingMadeAt?: number;
  readonly rings: Seen<readonly RingFacts[]>;
  /** Those of `expectedAlarms` that are there. */
  readonly alarms: Seen<readonly AlarmFacts[]>;
}

const { ok, problem, unknown } = answersOf('instance');
/** Somebody may have muted them all: the first few show where. */
const NAMED_MAX = 3;

export function diagnoseAlarms(facts: AlarmedInstance): Finding[] {
  return [states(facts), actions(facts)];
}

/** By their whole names: the alarms of the instance `prod-eu` begin with `curfew-prod-` as well. */
export function expectedAlarms(facts: Pick<AlarmedInstance, 'instance' | 'stacks' | 'rings'>): readonly string[] {
  const deployed = Object.keys(facts.stacks).filter((stack) => facts.stacks[stack] !== undefined);
  return alarmNames(
    facts.instance,
    deployed,
    openRings(facts).map(({ id, closingAt }) => ({ id, closing: closingAt !== undefined })),
  );
}

/** A ring that closed may have left the app, and its alarms with it. */
function openRings({ rings }: Pick<AlarmedInstance, 'rings'>): readonly Ring[] {
  return 'seen' in rings ? rings.seen.map(({ ring }) => ring).filter((ring) => !isClosed(ring)) : [];
}

/** Without what all of them begin with. */
function named({ instance }: AlarmedInstance, names: readonly string[]): string {
  return names.map((name) => name.slice(`curfew-${instance}-`.length)).join(', ');
}

/** What shows the cause of each; the alarms of one ring share a command. */
const SHOWN_BY_RING: readonly string[] = [
  'ActiveKeyAge',
  'StandbyKeys',
  'RotationOverdue',
  'KeyPolicyDrift',
  'InspectionAge',
  'UndisabledKeys',
] satisfies readonly MetricName[];
const SHOWN_BY: Readonly<Record<string, string>> = {
  HeldCases: 'curfew case list --held',
  WaitingCases: 'curfew case list --waiting',
  OpenCaseAge: 'curfew case list',
  RecheckAge: 'curfew case list',
} satisfies Readonly<Record<CaseMetricName, string>>;

function whatToRun(facts: AlarmedInstance, ringing: readonly string[]): string {
  const commands = ringing.map((name) => commandFor(facts, name));
  const each = [...new Set(commands)].map(
    (command) =>
      `${named(
        facts,
        ringing.filter((_, n) => commands[n] === command),
      )}: \`${command}\``,
  );
  return `${each.join('; ')}; then its section of docs/runbook.md`;
}

function commandFor(facts: AlarmedInstance, name: string): string {
  const short = named(facts, [name]);
  const alarm = short.slice(short.lastIndexOf('-') + 1);
  const ring = short.slice(0, -alarm.length - 1);
  const ofRing = ring === '' ? 'curfew ring list' : `curfew ring show ${ring}`;
  const command = SHOWN_BY_RING.includes(alarm) ? ofRing : SHOWN_BY[alarm];
  // Of what no command of ours shows CloudWatch says since when, and why.
  return command === undefined
    ? `aws cloudwatch describe-alarms --alarm-names ${name}`
    : `${command} --instance ${facts.instance}`;
}

function states(facts: AlarmedInstance): Finding {
  const { alarms: found, rings, at } = facts;
  if ('unseen' in found) return unknown('alarms', found.unseen, MAY_LOOK);
  const expected = expectedAlarms(facts);
  const notOk = found.seen.filter(({ state }) => state !== 'OK');
  const young = notOk.filter(({ name }) => at < youngUntil(name, facts)).map(({ name }) => name);
  const grown = notOk.filter(({ name }) => !young.includes(name));
  const missing = expected.filter((name) => !found.seen.some((alarm) => alarm.name === name));
  const ringing = grown.filter(({ state }) => state === 'ALARM').map(({ name }) => name);
  if (missing.length + ringing.length > 0)
    return problem(
      'alarms',
      [
        ringing.length > 0 ? `${named(facts, ringing)}: ALARM` : '',
        missing.length > 0 ? `${missing.length} of ${expected.length} missing: ${named(facts, missing)}` : '',
      ]
        .filter(Boolean)
        .join('; '),
      ringing.length > 0 ? whatToRun(facts, ringing) : 'deploy again: the alarms were deleted',
    );
  const undecided = grown.map(({ name }) => name);
  if (undecided.length > 0)
    return unknown(
      'alarms',
      `${undecided.length} of ${expected.length} have no data yet: ${named(facts, undecided)}`,
      'ask again in some minutes: an alarm soon treats missing figures as good or bad',
    );
  if (young.length > 0)
    return unknown(
      'alarms',
      `young: ${young.length} of ${expected.length} had no figures to judge by yet: ${named(facts, young)}`,
      askAgainAt(Math.max(...young.map((name) => youngUntil(name, facts)))),
    );
  if ('unseen' in rings) return unknown('alarms', 'the list of rings could not be read', 'see `rings`');
  return ok('alarms', `0 of ${expected.length} in state ALARM`);
}

function actions(facts: AlarmedInstance): Finding {
  const { alarms: found, rings } = facts;
  if ('unseen' in found) return unknown('alarm actions', found.unseen, MAY_LOOK);
  const expected = expectedAlarms(facts);
  const silent = expected.filter((name) => !found.seen.some((alarm) => alarm.name === name && alarm.hasAction));
  if (silent.length > 0)
    return problem(
      'alarm actions',
      `${silent.length} of ${expected.length} alarms have no action`,
      'set `alarmTopicArn` in the configuration file, and deploy',
    );
  const muted = found.seen.filter(({ isMuted }) => isMuted).map(({ name }) => name);
  const more = muted.length > NAMED_MAX ? ', …' : '';
  if (muted.length > 0)
    return problem(
      'alarm actions',
      `the actions of ${muted.length} of ${expected.length} alarms are disabled: ${named(facts, muted.slice(0, NAMED_MAX))}${more}`,
      `aws cloudwatch enable-alarm-actions --alarm-names ${muted[0]}${muted.length > 1 ? ' …' : ''}`,
    );
  if ('unseen' in rings) return unknown('alarm actions', 'the list of rings could not be read', 'see `rings`');
  return ok('alarm actions', 'every alarm has an action');
}

/**
 * Until when an alarm may say what it likes. Only of figures that are put each minute: what counts events (KeyPolicyPuts,
 * SignErrors, DeadLetters) says ALARM when something happened. What such a figure would say, the ring's own rows say.
 */
function youngUntil(name: string, facts: AlarmedInstance): number {
  const { instance, at, signingMadeAt = 0 } = facts;
  const figure = Object.keys(METRICS).find((one) => one !== 'KeyPolicyPuts' && name.endsWith(`-${one}`));
  if (figure === undefined) return 0;
  const open = openRings(facts);
  const ring = open.find(({ id }) => name === `curfew-${instance}-${id}-${figure}`);
  if (ring) return figure === 'StandbyKeys' ? standbysYoungUntil(ring, at) : figuresDueAt(bornAtOf(ring, at));
  // Of the worst of all rings: the watch has put it since there is a ring, or since there is a stack.
  const firstBornAt = Math.min(at, ...open.map((one) => bornAtOf(one, at)));
  return figuresDueAt(Math.max(signingMadeAt, firstBornAt));
}

/** Those that stand by may have to be confirmed by the next tick, and then known to the slowest declared verifier cache. */
function standbysYoungUntil(ring: Ring, at: number): number {
  const standing = ring.keys.filter((key) => isStanding(key, at));
  const waits = standing.map(({ bornAt, confirmedAt }) =>
    confirmedAt === undefined
      ? bornAt + TICK_SECONDS_MAX
      : confirmedAt + ring.cfg.propagationSeconds + ring.cfg.cacheSeconds,
  );
  return figuresDueAt(Math.max(bornAtOf(ring, at), ...(standing.length < STANDBYS ? [] : waits)));
}
