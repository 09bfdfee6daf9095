/** Which port each right opens, at run time: what `PortsFor` says in types. The adapters and the twins both ask here. */
import { BUCKETS, type FunctionName, RIGHTS, type Right } from './domain/deployment/rights';
import { TABLES } from './domain/store/table';
import type { PortsFor } from './ports';

export type AllPorts = PortsFor<Right>;
export type PortName = Exclude<keyof AllPorts, 'clock' | 'random' | 'config'>;

/** By the whole right, or by the part before its colon. */
const PORT_OPENED_BY: Readonly<Record<string, PortName>> = {
  ...Object.fromEntries(TABLES.map((table) => [table, 'tables'])),
  ...Object.fromEntries(BUCKETS.map((bucket) => [bucket, 'objects'])),
  sign: 'signer',
  'kms:lifecycle': 'ringKeys',
  'kms:disable': 'keyDisabler',
  invoke: 'functions',
  seal: 'sealer',
  secret: 'secrets',
  'hr-sources:get': 'hrSources',
  'iam:read': 'iam',
  'iam:latch': 'latch',
  'iam:disable': 'iamDisabler',
  'iam:release': 'latchRelease',
  'iam:enable': 'iamEnabler',
  'kms:enable': 'keyEnabler',
  workflow: 'workflow',
  'stacks:status': 'stacks',
  events: 'events',
  metrics: 'metrics',
  http: 'http',
};

export function portOpenedBy(right: Right): PortName {
  const port = PORT_OPENED_BY[right] ?? PORT_OPENED_BY[right.slice(0, right.indexOf(':'))];
  if (!port) throw new Error(`no port is opened by the right ${right}; name one in PORT_OPENED_BY`);
  return port;
}

export function portsOpenedFor(name: FunctionName): ReadonlySet<PortName> {
  return new Set((RIGHTS[name] as readonly Right[]).map(portOpenedBy));
}
