/** What `curfew doctor` makes of the quotas of the account: what its rings need of KMS, and all of it of Lambda. */
import { ISSUE_PER_SECOND } from '../deployment/throttles';
import { ALGORITHMS } from '../jose/algorithm';
import { isClosed } from '../rings/rotation';
import { answersOf, type Finding, MAY_LOOK, type Seen } from './finding';
import type { RingFacts } from './ring-diagnosis';

export interface QuotaFacts {
  readonly rings: Seen<readonly RingFacts[]>;
  /** Per second, by the name that Service Quotas has for it; KMS's own, or its default where there is none. */
  readonly kmsQuotas: Seen<Readonly<Record<string, number>>>;
  readonly concurrency: Seen<{ readonly limit: number; readonly peak?: number }>;
}

const { ok, problem, unknown } = answersOf('instance');
/** What the issuer's throttle lets in takes 50 at a tenth of a second each; the schedules, a wave and a margin the rest. */
const CONCURRENCY_MIN = 100;
const CONCURRENCY_USED_MAX = 0.8;
/** AWS's default: births and emergencies are made for it. */
const KEY_CHANGES_PER_SECOND = 5;
const KEY_CHANGES = ['CreateKey', 'EnableKey', 'DisableKey'] as const;

export function diagnoseQuotas(facts: QuotaFacts): Finding[] {
  return [lambda(facts), kms(facts)];
}

function lambda({ concurrency: found }: QuotaFacts): Finding {
  const check = 'quota of Lambda';
  if ('unseen' in found) return unknown(check, found.unseen, MAY_LOOK);
  const { limit, peak } = found.seen;
  const used = peak === undefined ? 'the peak of the last day is not known' : `the peak of the last day was ${peak}`;
  const says = `${limit} concurrent executions in this account and region; ${used}`;
  const fix = 'ask AWS for more "Concurrent executions", or move other functions out of this account and region';
  if (limit < CONCURRENCY_MIN || (peak ?? 0) > limit * CONCURRENCY_USED_MAX) return problem(check, says, fix);
  if (peak === undefined) return unknown(check, says, 'look at ConcurrentExecutions of Lambda in CloudWatch');
  return ok(check, says);
}

function kms({ rings, kmsQuotas: found }: QuotaFacts): Finding {
  const check = 'quota of KMS';
  if ('unseen' in found)
    return unknown(
      check,
      `Service Quotas did not answer: ${found.unseen}`,
      `${MAY_LOOK}, or see "Cryptographic operations" of KMS in the console`,
    );
  const families = 'seen' in rings ? familiesOf(rings.seen) : [];
  const needs = [
    ...families.map((family) => ({
      name: `Cryptographic operations (${family}) request rate`,
      least: ISSUE_PER_SECOND,
      says: `${family} signatures`,
      why: `, issuing lets in ${ISSUE_PER_SECOND}`,
    })),
    ...KEY_CHANGES.map((call) => ({
      name: `${call} request rate`,
      least: KEY_CHANGES_PER_SECOND,
      says: call,
      why: '',
    })),
  ];
  const looked = needs.map((need) => ({ ...need, value: found.seen[need.name] }));
  const says = looked.flatMap(({ says: what, value, why }) => (value === undefined ? [] : [`${what} ${value}${why}`]));
  const perSecond = `per second: ${says.join('; ')}`;
  const short = looked.filter(({ value, least }) => value !== undefined && value < least);
  if (short.length > 0)
    return problem(
      check,
      perSecond,
      `ask Service Quotas for ${short.map(({ name, least }) => `${least} of "${name}"`).join(' and ')}: above the quota KMS refuses`,
    );
  const absent = looked.filter(({ value }) => value === undefined).map(({ name }) => `"${name}"`);
  if (absent.length > 0)
    return unknown(check, `Service Quotas does not list ${absent.join(', ')}`, 'see the quotas of KMS in the console');
  return ok(check, perSecond);
}

/** As KMS counts signatures: all RSA keys of an account and Region share one quota, and so do all ECC keys. */
function familiesOf(rings: readonly RingFacts[]): ('ECC' | 'RSA')[] {
  const open = rings.map(({ ring }) => ring).filter((ring) => !isClosed(ring));
  const found = open.map(({ cfg }) => (ALGORITHMS[cfg.alg].keySpec.startsWith('RSA') ? 'RSA' : 'ECC'));
  return [...new Set(found)].sort();
}
