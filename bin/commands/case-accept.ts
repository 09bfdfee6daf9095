/** `curfew case accept`: one approver says that items may stay open until a day, because nobody can act on them. */
import { CurfewError } from '../../lib/domain/base/errors';
import { instant } from '../../lib/domain/base/time';
import {
  acceptable,
  acceptanceDigest,
  acceptedItem,
  acceptedNow,
  acceptsNothing,
} from '../../lib/domain/cases/accepted';
import { departureOnly, openQuestion } from '../../lib/domain/cases/case';
import { endOfDay } from '../../lib/domain/intake/day';
import { CASE_ITEM, CASE_PLAN } from '../../lib/domain/store/case-items';
import { approvalsOf, askApprovers, verdictText } from './case-decide';
import { findCaseId } from './case-id';
import { loadCase } from './case-show';
import type { Answer, CommandPorts } from './command';

/** Both approvers name the same items and the same day: then both approvals are of one list. */
export async function acceptItems(
  ports: CommandPorts<'case accept'>,
  named: string,
  given: { readonly items: string; readonly until: string; readonly reason: string },
): Promise<Answer> {
  const { tables, clock } = ports;
  const caseId = await findCaseId(named, ports);
  const meta = departureOnly(await loadCase(ports, caseId));
  const stored = await tables.query(CASE_ITEM.in(caseId));
  const inventories = (await tables.query(CASE_PLAN.in(caseId))).map(({ inventory }) => inventory);
  const accepts = { items: numbersIn(given.items), until: lastSecondOf(given.until) };
  const why = acceptsNothing(meta, clock.now());
  const now = why === undefined ? acceptedNow(accepts, meta, stored, inventories, clock.now()) : { why };
  if ('why' in now)
    throw new CurfewError('ERR_CASE_STATE', `this cannot be accepted: ${now.why}`, {
      got: accepts.items,
      allowed: why === undefined ? acceptable(meta, stored, inventories).map(({ item }) => item.nn) : [],
      fix: `see \`curfew case show ${caseId}\``,
    });
  const items = now.items.map(({ item }) => acceptedItem(item));
  const about = acceptanceDigest(items, accepts.until);
  const { reason } = given;
  const decision = 'accept' as const;
  const request = { caseId, question: openQuestion(meta)?.n ?? 0, decision, about, ...accepts, reason };
  const { mine, given: all } = await askApprovers(ports, request);
  const alike = all.filter((one) => one.about === about);
  const after = departureOnly(await loadCase(ports, caseId));
  const isDecided = after.accepted?.some((one) => one.about === about) ?? false;
  const lines = [
    `case ${caseId}  ${meta.act}  effective ${instant(meta.effectiveAt)}`,
    ...items.map(({ nn, kind, reason: what }) => `item ${nn}: ${what ?? `${kind}, which stays refused`}`),
    `accepted until ${instant(accepts.until)}; a linked case proves it again then. It is not proved until then.`,
    '',
    verdictText({ isDecided, mine, approvals: approvalsOf(alike, decision), decision, caseId }),
  ];
  return {
    json: { ...request, isDecided, counts: mine?.counts, ...(mine?.why !== undefined && { why: mine.why }) },
    text: lines.join('\n'),
    exitCode: isDecided || mine?.counts === true ? 0 : 1,
  };
}

/** `05,06`. */
function numbersIn(given: string): readonly string[] {
  const numbers = given.split(',').map((nn) => nn.trim());
  if (numbers.every((nn) => /^\d{2,8}$/.test(nn)) && new Set(numbers).size === numbers.length) return numbers.sort();
  throw new CurfewError('ERR_INPUT_INVALID', '--item does not name items by number, each once', {
    got: given,
    allowed: '05 or 05,06',
    fix: 'take the numbers from `curfew case show CASE`',
  });
}

/** A day ends when it ends in UTC, wherever the approver sits: two in two places name one instant. */
function lastSecondOf(day: string): number {
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(day) && new Date(Date.parse(`${day}T00:00:00Z`)).toJSON()?.startsWith(day);
  if (isDay) return endOfDay(day, 'UTC');
  throw new CurfewError('ERR_INPUT_INVALID', '--until is not a day', { got: day, allowed: '2027-02-26' });
}
