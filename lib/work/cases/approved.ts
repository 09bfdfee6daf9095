/** Who opens something asks for the two approvals itself: who may start a give-back must not be able to invent one. */
import { CurfewError } from '../../domain/base/errors';
import { judgeApprovals } from '../../domain/cases/approvals';
import { parseCaseId } from '../../domain/cases/case';
import type { DeploymentConfig } from '../../domain/deployment/deployment-config';
import { APPROVAL } from '../../domain/store/approval';
import { CASE, type CaseMeta } from '../../domain/store/case';
import type { Tables } from '../../ports';

interface OpenerDeps {
  readonly config: DeploymentConfig;
  readonly tables: Pick<Tables<'cases:get' | 'approvals:query'>, 'get' | 'query'>;
}

/** The give-back, where two approvers decided it; `ERR_NOT_APPROVED` otherwise. */
export async function requireApproved(given: string, { config, tables }: OpenerDeps): Promise<CaseMeta> {
  const caseId = parseCaseId(given);
  const giveBack = await tables.get(CASE, caseId);
  const [of, question] = [giveBack?.givesBack, giveBack?.givesBackAt];
  if (giveBack === undefined || of === undefined || question === undefined)
    throw notApproved(caseId, 'it is no give-back');
  const approvals = await tables.query(APPROVAL.in(of, question));
  const decided = approvals.some(({ about }) => {
    const matter = { approvers: config.approvers ?? [], decision: 'give-back', about, barred: new Map() } as const;
    // As of the moment in which it was decided: what people decided a week ago may still be under way.
    return judgeApprovals(approvals, { ...matter, now: giveBack.openedAt }).isDecided;
  });
  if (!decided) throw notApproved(caseId, 'two approvals of it are not on record');
  return giveBack;
}

function notApproved(caseId: string, why: string): CurfewError {
  return new CurfewError('ERR_NOT_APPROVED', `case ${caseId} may open nothing: ${why}`, {
    fix: 'two approvers run `curfew case give-back` for the case that is to be given back',
  });
}
