/** What `curfew doctor` makes of an instance: facts as they were looked at, findings out. First run and drift alike. */

import { span } from '../base/time';
import { type Exemption, endOf } from '../rings/exemption';
import { type AlarmedInstance, diagnoseAlarms } from './alarm-diagnosis';
import { type BirthFacts, diagnoseBirths } from './birth-diagnosis';
import { answersOf, type Finding, MAY_LOOK, type Seen, type Unseen } from './finding';
import { diagnosePurposeKey, type PurposeKeyFacts } from './purpose-key-diagnosis';
import { diagnoseQuotas, type QuotaFacts } from './quota-diagnosis';
import { diagnoseRing } from './ring-diagnosis';

export interface InstanceFacts extends AlarmedInstance, QuotaFacts, BirthFacts {
  readonly stage: Seen<string>;
  /** By HR source: was the secret ever given a value? */
  readonly webhookSecrets: Readonly<Record<string, Seen<boolean>>>;
  readonly people: Seen<{ readonly items: number; readonly tableMadeAt: number }>;
  /** The keys that sign the feed and the checkpoints, by purpose. */
  readonly purposeKeys: Readonly<Record<string, PurposeKeyFacts>>;
}

const { ok, problem, unknown } = answersOf('instance');
const COMPLETE = ['CREATE_COMPLETE', 'UPDATE_COMPLETE'];
/** Long enough to have an exemption approved again. */
const EXEMPTION_SECONDS_LEFT_MIN = 30 * 86_400;
/** DynamoDB counts the items of a table about every six hours. */
const COUNTED_EACH_SECONDS = 6 * 3600;
export function diagnose(facts: InstanceFacts): Finding[] {
  const { rings } = facts;
  return [
    ...stacks(facts),
    stage(facts),
    ...('unseen' in rings
      ? [unseenRings(rings)]
      : rings.seen.length === 0
        ? [problem('rings', 'none', 'deploy the signing stack: the deployment creates its rings')]
        : rings.seen.flatMap(diagnoseRing)),
    ...diagnoseBirths(facts),
    ...exemptions(facts),
    ...webhookSecrets(facts),
    people(facts),
    ...Object.entries(facts.purposeKeys).map(([name, key]) => diagnosePurposeKey(name, key)),
    ...diagnoseAlarms(facts),
    ...diagnoseQuotas(facts),
  ];
}

/** A row that cannot be read is seen to be so: for as long as it stands there, nothing turns, ends or watches that ring. */
function unseenRings({ unseen, isBroken }: Unseen): Finding {
  return isBroken
    ? problem('rings', unseen, 'find out who wrote the row, and restore it from a backup of the table')
    : unknown('rings', `could not read the Keys table: ${unseen}`, MAY_LOOK);
}

function stacks({ stacks: found }: InstanceFacts): Finding[] {
  return Object.entries(found).map(([name, status]) => {
    const check = `stack ${name}`;
    if (status === undefined) return problem(check, 'not deployed', 'npx cdk deploy --all');
    if (COMPLETE.includes(status)) return ok(check, status);
    if (status.endsWith('_IN_PROGRESS')) return unknown(check, status, 'ask again when it is done');
    return problem(check, status, 'see its events, then deploy again');
  });
}

function stage({ stage: found }: InstanceFacts): Finding {
  if ('unseen' in found) return unknown('stage', found.unseen, 'deploy again: newer stacks have an output for it');
  return found.seen === 'production'
    ? ok('stage', 'production')
    : problem(
        'stage',
        `${found.seen}: deleting a stack deletes its tables and keys, evidence is locked for one day`,
        'set stage: production',
      );
}

/** They stand in every ring's record, those of the whole app. */
function exemptions({ rings, at }: InstanceFacts): Finding[] {
  const all = 'seen' in rings ? rings.seen.flatMap(({ ring }) => ring.cfg.exemptions ?? []) : [];
  const distinct = new Map(all.map((one): [string, Exemption] => [`${one.subject} from ${one.rule}`, one]));
  return [...distinct].map(([what, one]) => {
    const left = endOf(one) - at;
    const fix = 'do without it, or have it approved again with a new date';
    if (left <= 0) return problem('exemption', `of ${what} ended on ${one.until}`, fix);
    if (left < EXEMPTION_SECONDS_LEFT_MIN) return problem('exemption', `of ${what} ends in ${span(left)}`, fix);
    return ok('exemption', `of ${what} until ${one.until}, approved by ${one.approver}`);
  });
}

function webhookSecrets({ webhookSecrets: found }: InstanceFacts): Finding[] {
  const sources = Object.entries(found);
  if (sources.length === 0)
    return [
      problem(
        'HR sources',
        'none: Curfew learns of no departure',
        'configure `sources`, and deploy the offboarding stack',
      ),
    ];
  return sources.map(([source, hasValue]) => {
    const check = `secret of ${source}`;
    if ('unseen' in hasValue) return unknown(check, hasValue.unseen, MAY_LOOK);
    return hasValue.seen
      ? ok(check, 'has a value')
      : problem(
          check,
          'was never given a value: every delivery gets a 5xx',
          'aws secretsmanager put-secret-value, with the secret that the HR system shows',
        );
  });
}

function people({ people: found, at }: InstanceFacts): Finding {
  if ('unseen' in found) return unknown('people', found.unseen, MAY_LOOK);
  const { items, tableMadeAt } = found.seen;
  if (items > 0) return ok('people', `${items} principals and exposures are known`);
  const fix = '`curfew people import`: a case ends only the access that you imported';
  if (at - tableMadeAt < COUNTED_EACH_SECONDS)
    return unknown('people', 'none at the last count; DynamoDB counts every six hours', fix);
  return problem('people', 'none imported; the table is more than six hours old', fix);
}

/** How many of each. */
export function tally(findings: readonly Finding[]): Readonly<Record<Finding['state'], number>> {
  const of = (state: Finding['state']) => findings.filter((finding) => finding.state === state).length;
  return { ok: of('ok'), problem: of('problem'), unknown: of('unknown') };
}
