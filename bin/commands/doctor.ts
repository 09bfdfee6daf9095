/**
 * `curfew doctor`: is this instance whole, and is it as it was deployed? Looks at everything, changes nothing. Exit code
 * 0: no problem; 1: there is one; 2: it could not look at all. What could not be seen is unknown, and never called ok.
 */

import { FetchHttp } from '../../lib/aws/fetch-http';
import { CurfewError } from '../../lib/domain/base/errors';
import { expectedAlarms } from '../../lib/domain/health/alarm-diagnosis';
import { diagnose, tally } from '../../lib/domain/health/doctor';
import type { Finding } from '../../lib/domain/health/finding';
import { Instance, STACKS } from '../edge/instance';
import { drawingFor, WIDTH_DEFAULT, wrap } from '../edge/terminal';
import { type Answer, type CommandPorts, type Commands, text } from './command';
import { AwsLooks } from './doctor-looks';
import { lookAtBirths, lookAtRings } from './doctor-rings';
import { type Looks, see } from './looks';

export const DOCTOR_COMMANDS = {
  doctor: {
    usage: '',
    says: 'is the instance whole, and as it was deployed? the exit code is the verdict',
    takes: 0,
    run: async (_, options) => {
      const { instance, stacks, madeAt } = await Instance.look(text(options, 'instance'));
      if (STACKS.every((stack) => stacks[stack] === undefined))
        throw new CurfewError('ERR_NOT_FOUND', `there is no instance ${instance.name}`, {
          got: instance.name,
          fix: 'check --instance, the region and the account',
        });
      const { clock, tables } = instance;
      return examine(
        { clock, tables, http: new FetchHttp() },
        new AwsLooks(instance, stacks, madeAt.signing),
        drawingFor(process.stdout, process.env).width,
      );
    },
  },
} as const satisfies Commands;

/** On a terminal that is narrower than that, the terminal breaks the lines. */
const FOUND_WIDTH_MIN = 30;

export async function examine(deps: CommandPorts<'doctor'>, looks: Looks, width = WIDTH_DEFAULT): Promise<Answer> {
  const at = deps.clock.now();
  const [rings, webhookSecrets, people, purposeKeys, concurrency, kmsQuotas] = await Promise.all([
    looks.stacks.signing === undefined ? { unseen: 'there is no signing stack' } : lookAtRings(deps, looks),
    looks.webhookSecrets(),
    looks.people(),
    looks.purposeKeys(),
    looks.concurrency(at),
    looks.kmsQuotas(),
  ]);
  const { instance, stacks, signingMadeAt, stage } = looks;
  const known = {
    at,
    instance,
    stacks,
    signingMadeAt,
    stage,
    rings,
    webhookSecrets,
    people,
    purposeKeys,
    concurrency,
    kmsQuotas,
  };
  const [alarms, births, rotatorArn] = await Promise.all([
    looks.alarms(expectedAlarms(known)),
    lookAtBirths(rings, looks),
    see(async () => looks.roles.roleArns.rotator),
  ]);
  const findings = diagnose({ ...known, alarms, births, rotatorArn });
  const counts = tally(findings);
  return { json: { at, findings, counts }, text: format(findings, width), exitCode: counts.problem > 0 ? 1 : 0 };
}

/** The instance, then each ring. What to do stands below what is not ok. Nothing is wider than the terminal but a URL. */
function format(findings: readonly Finding[], width: number): string {
  const owners = [...new Set(['instance', ...findings.map(({ of }) => of)])];
  const blocks = owners.flatMap((owner) => [
    owner,
    ...rows(
      findings.filter(({ of }) => of === owner),
      width,
    ),
    '',
  ]);
  const { ok, problem, unknown } = tally(findings);
  return [...blocks, `${ok} ok, ${problem} problem${problem === 1 ? '' : 's'}, ${unknown} unknown`].join('\n');
}

function rows(findings: readonly Finding[], width: number): string[] {
  const checkWidth = Math.max(...findings.map(({ check }) => check.length));
  return findings.flatMap(({ state, check, found, fix }) => {
    const head = `  ${state.padEnd(7)}  ${check.padEnd(checkWidth)}  `;
    const texts = [found, ...(fix === undefined ? [] : [`fix: ${fix}`])];
    const lines = texts.flatMap((text) => wrap(text, Math.max(FOUND_WIDTH_MIN, width - head.length)));
    return lines.map((line, n) => `${n === 0 ? head : ' '.repeat(head.length)}${line}`);
  });
}
