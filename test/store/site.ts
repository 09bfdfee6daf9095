/** Where in the code a call comes from: the frames of our handlers, through awaits too, as V8 keeps them. */
import { join, relative } from 'node:path';

const PROJECT = join(__dirname, '..', '..');
const OURS = /^(lambdas|lib\/work|bin\/commands)\//;
const FRAMES = 60;

/** `load-ring.ts findRing < load-ring.ts loadRing < publisher.ts publishOnce`, with line and column in what was compiled. */
export function siteHere(): string {
  const { prepareStackTrace, stackTraceLimit } = Error;
  try {
    Error.stackTraceLimit = FRAMES;
    Error.prepareStackTrace = (_error, frames) => frames.filter(isOurs).map(spell).join(' < ');
    const here: { stack?: string } = {};
    Error.captureStackTrace(here, siteHere);
    return here.stack ?? '';
  } finally {
    Object.assign(Error, { prepareStackTrace, stackTraceLimit });
  }
}

function pathOf(frame: NodeJS.CallSite): string {
  return relative(PROJECT, frame.getFileName() ?? '');
}

function isOurs(frame: NodeJS.CallSite): boolean {
  return OURS.test(pathOf(frame));
}

function spell(frame: NodeJS.CallSite): string {
  const name = frame.getFunctionName() ?? '';
  return `${pathOf(frame)} ${name} ${frame.getLineNumber()}:${frame.getColumnNumber()}`;
}
