/** `curfew case explain`: what HR said of the worker, what it comes to, and every question with its answer. Names nobody. */
import { instant } from '../../lib/domain/base/time';
import { inWords, stopOf } from '../../lib/domain/cases/case';
import { scheduledDepartures } from '../../lib/domain/cases/departure';
import { CASE } from '../../lib/domain/store/case';
import { SAID, SCHEDULE } from '../../lib/domain/store/worker';
import { table } from '../edge/terminal';
import { loadCase } from './case-show';
import type { Answer, CommandPorts } from './command';

const ENDED: Readonly<Record<string, string>> = {
  'go-on': 'two approvers let it go on',
  'give-back': 'two approvers gave the departure back',
  sources: 'the sources agreed again',
  time: 'its time came',
};

export async function explainCase(ports: CommandPorts<'case explain'>, caseId: string): Promise<Answer> {
  const { tables, clock } = ports;
  const meta = await loadCase(ports, caseId);
  const [said, schedule] = await Promise.all([
    tables.query(SAID.in(meta.workerId)),
    tables.get(SCHEDULE, meta.workerId),
  ]);
  const cases = (await Promise.all((schedule?.caseIds ?? []).map((id) => tables.get(CASE, id)))).filter(
    (one) => one !== undefined,
  );
  const scheduled = scheduledDepartures(said, cases);
  const stop = stopOf(meta, clock.now());
  const asked = meta.questions.map(({ n, reasons, askedAt, endedBy }) => [
    String(n),
    inWords(reasons),
    instant(askedAt),
    endedBy === undefined ? 'open' : (ENDED[endedBy] ?? endedBy),
  ]);
  const words = said.map(({ saidAt, source, kind, effectiveAt, zone }) => [
    instant(saidAt),
    source,
    kind,
    instant(effectiveAt),
    zone,
  ]);
  const text = [
    `case ${caseId} is departure ${meta.number} of this worker: ${meta.act}, effective ${instant(meta.effectiveAt)}`,
    `it rests on the word of ${meta.voices.map(({ source, origin }) => (source === origin ? source : `${source} (${origin})`)).join(' and ')}`,
    stop === undefined ? 'nothing stops it' : `it waits: ${stop.why}`,
    '',
    'what HR said of this worker',
    table(['said at', 'source', 'what', 'effective', 'zone'], words),
    ...(asked.length === 0 ? [] : ['', 'questions', table(['no', 'why', 'asked', 'answer'], asked)]),
    ...(scheduled.length === 0
      ? []
      : [
          '',
          'still scheduled',
          table(
            ['what', 'effective', 'doubts'],
            scheduled.map(({ act, effectiveAt, reasons }) => [act, instant(effectiveAt), inWords(reasons)]),
          ),
        ]),
  ];
  return {
    json: {
      caseId,
      act: meta.act,
      number: meta.number,
      effectiveAt: meta.effectiveAt,
      finalAt: meta.finalAt,
      voices: meta.voices,
      questions: meta.questions,
      ...(stop && { stop }),
      statements: said.map(({ saidAt, source, kind, effectiveAt, zone }) => ({
        saidAt,
        source,
        kind,
        effectiveAt,
        zone,
      })),
      scheduled: scheduled.map(({ act, effectiveAt, reasons }) => ({ act, effectiveAt, reasons })),
    },
    text: text.join('\n'),
  };
}
