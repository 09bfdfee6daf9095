/**
 * The calls of the real Lambdas and those of the model's scripts, in one language, so that one can be held against the
 * other: a script that does not do what its Lambda does proves nothing of it.
 */
import type { FunctionName } from '../../../lib/domain/deployment/rights';
import type { Row, Write } from '../../../lib/domain/store/table';
import type { World } from '../../../lib/local/world';
import { type Script, sayStop } from './script';
import type { ModelWorld } from './world';

/** Whose calls count. What a verifier's request makes `well-known` read is no step of anybody's. */
const RECORDED: readonly FunctionName[] = ['rotator', 'issuer', 'publisher', 'taint', 'conductor'];
const PORTS = ['tables', 'ringKeys', 'signer', 'http', 'functions', 'objects'] as const;

/** From now on every call of those Lambdas in this world is put to the end of the list, as it is made. */
export function recordCalls(world: World): string[] {
  const calls: string[] = [];
  const depsOf = world.deps.bind(world);
  const recorded = (name: FunctionName) => {
    const deps = depsOf(name) as Record<string, unknown>;
    if (!RECORDED.includes(name)) return deps;
    const ports = PORTS.filter((port) => port in deps).map((port) => [
      port,
      watched(port, deps[port] as object, calls),
    ]);
    return { ...deps, ...Object.fromEntries(ports) };
  };
  world.deps = recorded as typeof world.deps;
  return calls;
}

function watched(port: string, target: object, calls: string[]): object {
  return new Proxy(target, {
    get: (of, name) => {
      const call = Reflect.get(of, name) as (...given: unknown[]) => unknown;
      return (...given: unknown[]) => {
        calls.push(sayStop({ call: `${port}.${String(name)}`, sent: sentBy(port, String(name), given) }));
        return call.apply(of, given);
      };
    },
  });
}

function sentBy(port: string, name: string, [first, second]: readonly unknown[]): readonly Write[] | string {
  if (name === 'transact') return first as readonly Write[];
  if (name === 'query') {
    const { table, prefix } = first as { table: string; prefix?: string };
    return table === 'keys' ? (prefix ?? '') : table;
  }
  if (port === 'functions') return [first, (second as { op?: string }).op].filter(Boolean).join(' ');
  return '';
}

/** Runs a script to its end, alone, and answers its calls. */
export function callsOf(script: Script<unknown>, world: ModelWorld): string[] {
  const calls: string[] = [];
  for (let next = script.next(); !next.done; next = script.next()) {
    if (next.value.wakeAt === undefined) calls.push(sayStop(next.value));
    else world.now = Math.max(world.now, next.value.wakeAt);
  }
  return calls;
}

/** Kids by slot; the four queries of a load as one; and without what both read beside a ring. */
export function comparable(calls: readonly string[], keys: readonly Row[]): string[] {
  let text = calls
    .filter((call) => !/^(tables\.get\b|tables\.query (markers|ledger|cut-offs)$)/.test(call))
    .map((call) => call.replace(/^tables\.query (HEAD|KEY#|SLOT#|WAVE#)$/, 'load'))
    .join('\n');
  for (const { kid, slot } of keys)
    text = text.replaceAll(new RegExp(`\\b${kid}\\b|${kid}(?=\\W|$)`, 'g'), `slot-${slot}`);
  return text
    .replace(/(load\n?){4}/g, 'load\n')
    .trimEnd()
    .split('\n');
}
