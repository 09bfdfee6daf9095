/** Who opens something asks for the two approvals itself: who may start a give-back must not be able to invent one. */
import { CurfewError } from '../../domain/base/errors';
import { judgeApprovals } from '../../domain/cases/approvals';
import { parseCaseId } from '../../domain/cases/case';
import { readmitAbout } from '../../domain/cases/readmit';
import { isOpenedBy } from '../../domain/cases/shut';
import type { DeploymentConfig } from '../../domain/deployment/deployment-config';
import { APPROVAL } from '../../domain/store/approval';
import { CASE, type DepartureCase } from '../../domain/store/case';
import { SHUT, type Shut } from '../../domain/store/worker';
import type { Clock, Tables } from '../../ports';

interface OpenerDeps {
  readonly config: DeploymentConfig;
  readonly clock: Clock;
  readonly tables: Pick<Tables<'cases:get' | 'cases:query' | 'approvals:query'>, 'get' | 'query'>;
}

/** The give-back, where two approvers decided it; `ERR_NOT_APPROVED` otherwise. */
export async function requireApproved(given: string, { config, tables }: OpenerDeps): Promise<DepartureCase> {
  const caseId = parseCaseId(given);
  const found = await tables.get(CASE, caseId);
  const giveBack = found?.kind === 'departure' ? found : undefined;
  const [of, question] = [giveBack?.givesBack, giveBack?.givesBackAt];
  if (giveBack === undefined || of === undefined || question === undefined)
    throw notApproved(caseId, 'it is no give-back');
  const approvals = await tables.query(APPROVAL.in(of, question));
  const { readmits } = giveBack;
  const decision = readmits === undefined ? 'give-back' : 'readmit';
  // A readmission rests on approvals of this one thing; what an approver said about another one is no later word.
  const ofIt = approvals.filter((one) =>
    readmits === undefined ? one.decision !== 'readmit' : one.about === readmitAbout(readmits),
  );
  const decided = ofIt.some(({ about }) => {
    const matter = { approvers: config.approvers ?? [], decision, about, barred: new Map() } as const;
    // As of the moment in which it was decided: what people decided a week ago may still be under way, and who has given
    // their word once more since has not taken it back.
    return judgeApprovals(ofIt, { ...matter, now: giveBack.openedAt }).isDecided;
  });
  if (!decided) throw notApproved(caseId, 'two approvals of it are not on record');
  return giveBack;
}

/** The thing that is to be opened is one that this give-back claimed a moment ago: no other, and no later. */
export async function requireOpening(
  { workerId, caseId, readmits }: DepartureCase,
  isMeant: (thing: Shut) => boolean,
  { tables, clock }: OpenerDeps,
): Promise<void> {
  const all = (await tables.query(SHUT.in(workerId))).filter(isMeant);
  const things = all.filter(({ key }) => readmits === undefined || key.sk === readmits.thing);
  if (things.some((thing) => isOpenedBy(thing, caseId, clock.now()))) return;
  throw notApproved(caseId, 'it has not claimed this thing, or somebody shut it since');
}

function notApproved(caseId: string, why: string): CurfewError {
  return new CurfewError('ERR_NOT_APPROVED', `case ${caseId} may open nothing: ${why}`, {
    fix: 'two approvers run `curfew case give-back` for the case that is to be given back',
  });
}
