/** `curfew case explain`: what HR said of the worker, what it comes to, and every question with its answer. It prints no worker id. */
import { instant } from '../../lib/domain/base/time';
import { departureOnly, inWords, stopOf } from '../../lib/domain/cases/case';
import { scheduledDepartures } from '../../lib/domain/cases/departure';
import type { ENDED_BY } from '../../lib/domain/store/case';
import { loadWorker } from '../../lib/work/cases/worker';
import { table } from '../edge/terminal';
import { findCaseId } from './case-id';
import { loadCase } from './case-show';
import type { Answer, CommandPorts } from './command';

const ENDED: Readonly<Record<(typeof ENDED_BY)[number], string>> = {
  'go-on': 'two approvers let it go on',
  'give-back': 'two approvers gave the departure back',
  sources: 'the sources agreed again',
  'not-decided': 'for 30 days nobody could decide',
};

export async function explainCase(ports: CommandPorts<'case explain'>, given: string): Promise<Answer> {
  const caseId = await findCaseId(given, ports);
  const { clock } = ports;
  const meta = departureOnly(await loadCase(ports, caseId));
  const { said, cases } = await loadWorker(ports, meta.workerId);
  const scheduled = scheduledDepartures(said, cases);
  const stop = stopOf(meta, clock.now());
  const asked = meta.questions.map(({ n, reasons, askedAt, endedBy }) => [
    String(n),
    inWords(reasons),
    instant(askedAt),
    endedBy === undefined ? 'open' : ENDED[endedBy],
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
