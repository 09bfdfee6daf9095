/** `curfew case readmit`: one approver's decision that a worker who was taken on again gets one subject back. It prints no worker id. */
import { CurfewError } from '../../lib/domain/base/errors';
import { openQuestion } from '../../lib/domain/cases/case';
import { newestShutBy, readmissionOf, readmitAbout, whyNotReadmitted } from '../../lib/domain/cases/readmit';
import { SHUT } from '../../lib/domain/store/worker';
import { loadWorker } from '../../lib/work/cases/worker';
import { approvalsOf, askApprovers, verdictText } from './case-decide';
import type { Answer, CommandPorts } from './command';

type ReadmitPorts = CommandPorts<'case readmit'>;

export async function readmit(ports: ReadmitPorts, given: string, subject: string, reason: string): Promise<Answer> {
  const [ring, sub] = parseSubject(subject);
  const workerId = given.normalize('NFC');
  const [worker, shut] = await Promise.all([loadWorker(ports, workerId), ports.tables.query(SHUT.in(workerId))]);
  const thing = shut.find((one) => one.kind === 'cut-off' && one.ring === ring && one.target.value === sub);
  const newest = thing && newestShutBy(thing, worker.cases);
  if (thing === undefined || newest === undefined)
    throw new CurfewError('ERR_NOT_FOUND', 'no departure of this worker keeps this subject shut', {
      got: subject,
      fix: 'give the subject as it was imported, and the worker whose departure shut it',
    });
  const why = whyNotReadmitted(thing, worker, ports.clock.now());
  if (why !== undefined)
    throw new CurfewError('ERR_CASE_STATE', `the subject is not readmitted: ${why}`, {
      got: subject,
      fix: `see \`curfew case explain ${newest.caseId}\``,
    });
  const { caseId } = newest;
  const question = openQuestion(newest)?.n ?? 0;
  const about = readmitAbout(readmissionOf(thing, worker));
  const request = { caseId, question, decision: 'readmit', about, reason } as const;
  const { mine, given: all } = await askApprovers(ports, request);
  const approvals = approvalsOf(
    all.filter((one) => one.about === about),
    'readmit',
  );
  const openedBy = await openedByOf(ports, workerId, thing.key.sk);
  const isDecided = approvals === 2 && openedBy !== thing.openingBy;
  const lines = [
    `case ${caseId}  ${newest.act}`,
    `opens: the subject ${subject}, for new tokens alone; everything else that the case shut stays shut`,
    '',
    verdictText({ isDecided, mine, approvals, decision: 'readmit', caseId: openedBy ?? caseId }),
  ];
  return {
    json: {
      ...request,
      approvals,
      isDecided,
      counts: mine?.counts,
      ...(mine?.why !== undefined && { why: mine.why }),
      ...(isDecided && openedBy !== undefined && { openedBy }),
    },
    text: lines.join('\n'),
    exitCode: isDecided || mine?.counts === true ? 0 : 1,
  };
}

/** The case that opens it, as long as that has not opened it. */
async function openedByOf({ tables }: ReadmitPorts, workerId: string, sk: string): Promise<string | undefined> {
  return (await tables.query(SHUT.in(workerId))).find(({ key }) => key.sk === sk)?.openingBy;
}

/** The name of a ring has no slash; that of a subject may. */
function parseSubject(given: string): readonly [ring: string, sub: string] {
  const [, ring, sub] = /^([^/]+)\/(.+)$/s.exec(given) ?? [];
  if (ring !== undefined && sub !== undefined) return [ring, sub];
  throw new CurfewError('ERR_INPUT_INVALID', 'the subject is not a ring and a name', {
    got: given,
    allowed: 'RING/SUB, as customer-api/mallory',
  });
}
