/** What is said of a case that another one leaves, when it is born; whose it is stands there sealed. */
import type { DepartureCase } from '../../domain/cases/case';
import { openedRecord, sealContext } from '../../domain/cases/records';
import type { Outgoing } from '../../domain/cases/transitions';
import type { Sealer } from '../../ports';

export async function openedOf(
  meta: DepartureCase,
  { sealer }: { readonly sealer: Pick<Sealer, 'seal'> },
): Promise<Outgoing> {
  const { caseId, workerId, pseudonym, openedAt } = meta;
  const sealed = await sealer.seal(pseudonym, sealContext(caseId, 'opened'), JSON.stringify({ workerId }));
  return {
    record: openedRecord(meta, {}, sealed, openedAt),
    event: { detailType: 'CaseOpened', detail: { id: caseId } },
  };
}
