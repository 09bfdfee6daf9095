/**
 * The rooms of the product: each folder, the one noun it holds, and what its files may import beside each other.
 *
 * A file that stands alone in lib/ is a room of its own. `imports` names rooms, or how a package's name begins.
 * Type-only imports count as well: an arrow that a reader has to follow is an arrow.
 */
export interface Room {
  readonly is: string;
  readonly imports: readonly string[];
}

const DOMAIN = {
  base: 'lib/domain/base',
  jose: 'lib/domain/jose',
  tlog: 'lib/domain/tlog',
  store: 'lib/domain/store',
  evidence: 'lib/domain/evidence',
  rings: 'lib/domain/rings',
  feed: 'lib/domain/feed',
  tokens: 'lib/domain/tokens',
  intake: 'lib/domain/intake',
  cases: 'lib/domain/cases',
  audit: 'lib/domain/audit',
  deployment: 'lib/domain/deployment',
  health: 'lib/domain/health',
} as const;
const CDK = ['aws-cdk-lib', 'constructs'];

export const ROOMS: Readonly<Record<string, Room>> = {
  'lib/domain/base': {
    is: 'errors, encodings, strict JSON and dates, which every other room uses',
    imports: ['node:crypto'],
  },
  'lib/domain/jose': {
    is: 'algorithms, keys, compact tokens and signatures, as RFC 7515, 7517, 7518 and 7638 have them',
    imports: [DOMAIN.base, 'node:crypto'],
  },
  'lib/domain/tlog': {
    is: 'Merkle trees, tiles, signed notes and checkpoints, as RFC 6962 and C2SP have them; it knows nothing of Curfew',
    imports: [DOMAIN.base, 'node:crypto'],
  },
  'lib/domain/store': {
    is: 'what is stored: rows, conditions, transactions, the one schema of each stored shape, and that of CURFEW_CONFIG',
    imports: [DOMAIN.base, DOMAIN.jose, 'zod/mini'],
  },
  'lib/domain/evidence': {
    is: 'evidence records, sealed fields, token lists, and the log they wait in',
    imports: [DOMAIN.base, DOMAIN.tlog, DOMAIN.store, 'node:crypto'],
  },
  'lib/domain/rings': {
    is: 'key rings: configuration, life, rotation, taints, key policy, and their transitions under one fence',
    imports: [DOMAIN.base, DOMAIN.jose, DOMAIN.store, DOMAIN.evidence],
  },
  'lib/domain/feed': {
    is: 'what the world sees of a ring: the signed feed, the JWKS, discovery',
    imports: [DOMAIN.base, DOMAIN.jose, DOMAIN.rings],
  },
  'lib/domain/tokens': {
    is: 'tokens: claims, ledger, cut-offs, eligibility, waves, exchange',
    imports: [DOMAIN.base, DOMAIN.jose, DOMAIN.store, DOMAIN.evidence, DOMAIN.rings, DOMAIN.feed, 'node:crypto'],
  },
  'lib/domain/intake': {
    is: 'what HR systems send: signature schemes, statements, the inbox',
    imports: [DOMAIN.base, DOMAIN.store, 'node:crypto'],
  },
  'lib/domain/cases': {
    is: 'departures: people, case, containment, plan, proof, and their transitions',
    imports: [DOMAIN.base, DOMAIN.store, DOMAIN.evidence, DOMAIN.rings, 'node:crypto'],
  },
  'lib/domain/audit': {
    is: 'what `curfew evidence verify` runs: bundle, manifest, key states, claims about tokens',
    imports: [DOMAIN.base, DOMAIN.tlog, DOMAIN.store, DOMAIN.evidence, DOMAIN.rings, DOMAIN.tokens, DOMAIN.cases],
  },
  'lib/domain/deployment': {
    is: 'one deployment: its Lambdas and their rights, its commands, messages, settings, metrics and alarm names',
    imports: [DOMAIN.base, DOMAIN.jose, DOMAIN.store, DOMAIN.evidence, DOMAIN.rings, DOMAIN.tokens, 'zod/mini'],
  },
  'lib/domain/health': {
    is: 'the doctor: findings, diagnoses, and the figures of a ring',
    imports: [DOMAIN.base, DOMAIN.jose, DOMAIN.rings, DOMAIN.feed, DOMAIN.deployment],
  },
  'lib/report': {
    is: 'the HTML page over a verified bundle; a view, not a rule',
    imports: [DOMAIN.base, DOMAIN.tlog, DOMAIN.evidence, DOMAIN.rings, DOMAIN.cases, DOMAIN.audit],
  },
  'lib/ports.ts': {
    is: 'everything outside the process, one interface per thing, and what each owes its callers',
    imports: [DOMAIN.jose, DOMAIN.store, DOMAIN.deployment],
  },
  'lib/ports-opened.ts': {
    is: 'which ports the rights of a Lambda open',
    imports: ['lib/ports.ts', DOMAIN.store, DOMAIN.deployment],
  },
  'lib/parsed-tables.ts': {
    is: 'tables over rows: what is read is parsed by its entity',
    imports: ['lib/ports.ts', DOMAIN.store],
  },
  'lib/env.ts': { is: 'the names of environment variables', imports: [] },
  'lib/config.ts': {
    is: 'the configuration of a deployment, as its owner writes it, parsed',
    imports: ['lib/constructs/parts', DOMAIN.base, DOMAIN.intake, DOMAIN.deployment, 'zod'],
  },
  'lib/index.ts': {
    is: 'what the package exports to a CDK app',
    imports: [
      'lib/config.ts',
      'lib/stacks',
      'lib/constructs/evidence',
      'lib/constructs/functions',
      'lib/constructs/offboarding',
      'lib/constructs/ring',
      DOMAIN.base,
      DOMAIN.deployment,
      DOMAIN.rings,
    ],
  },
  'lib/aws': {
    is: 'the ports on AWS, and `entry`, which gives a Lambda those that its rights open',
    imports: [
      'lib/ports.ts',
      'lib/ports-opened.ts',
      'lib/parsed-tables.ts',
      'lib/env.ts',
      DOMAIN.base,
      DOMAIN.jose,
      DOMAIN.store,
      DOMAIN.evidence,
      DOMAIN.deployment,
      '@aws-sdk/',
      '@smithy/core/retry',
      'node:crypto',
      'node:timers/promises',
    ],
  },
  'lib/local': {
    is: 'the ports in memory, under the same contract suites',
    imports: [
      'lib/ports.ts',
      'lib/ports-opened.ts',
      'lib/parsed-tables.ts',
      DOMAIN.base,
      DOMAIN.jose,
      DOMAIN.store,
      DOMAIN.evidence,
      DOMAIN.deployment,
      'node:async_hooks',
      'node:crypto',
    ],
  },
  'lib/verifier': {
    is: 'what a service installs to verify tokens; no AWS, no store',
    imports: [DOMAIN.base, DOMAIN.jose, DOMAIN.feed, DOMAIN.tokens],
  },
  'lib/work': {
    is: 'the answers of the HTTP Lambdas, and transactions that are tried',
    imports: [DOMAIN.base, 'aws-lambda'],
  },
  'lib/work/rings': {
    is: 'work on a ring that Lambdas and CLI share: load it, apply its plan, give birth to a key, inspect keys',
    imports: ['lib/ports.ts', 'lib/work', DOMAIN.base, DOMAIN.jose, DOMAIN.store, DOMAIN.rings, DOMAIN.deployment],
  },
  'lib/work/tokens': {
    is: 'work on a token that Lambdas share: find the issuing key, sign, read the pepper',
    imports: ['lib/ports.ts', DOMAIN.base, DOMAIN.jose, DOMAIN.store, DOMAIN.rings, DOMAIN.tokens],
  },
  'lib/work/evidence': {
    is: 'work on the log that Lambdas share: relay an outbox, sweep it, put tiles and checkpoints',
    imports: ['lib/ports.ts', 'lib/work', DOMAIN.base, DOMAIN.tlog, DOMAIN.store, DOMAIN.evidence, DOMAIN.deployment],
  },
  'lib/work/cases': {
    is: 'work on a case that Lambdas share: load and change it, start it, act on an item, observe it',
    imports: [
      'lib/ports.ts',
      'lib/work',
      'lib/work/rings',
      'lib/work/tokens',
      DOMAIN.base,
      DOMAIN.store,
      DOMAIN.rings,
      DOMAIN.tokens,
      DOMAIN.cases,
      DOMAIN.deployment,
    ],
  },
  lambdas: {
    is: 'one file per function of the deployment, named like it',
    imports: [
      'lib/aws',
      'lib/ports.ts',
      'lib/work',
      'lib/work/rings',
      'lib/work/tokens',
      'lib/work/evidence',
      'lib/work/cases',
      'lib/domain/',
      'aws-lambda',
      'zod',
    ],
  },
  'lib/constructs/parts': {
    is: 'tables, buckets, secrets, the CDN, names and stages: what the other constructs are made of',
    imports: [...CDK, DOMAIN.store, DOMAIN.deployment],
  },
  'lib/constructs/rights': {
    is: 'what each right means in IAM, for Lambdas and for people',
    imports: [...CDK, 'lib/constructs/parts', 'lib/env.ts', DOMAIN.base, DOMAIN.jose, DOMAIN.store, DOMAIN.deployment],
  },
  'lib/constructs/watch': {
    is: 'the table of all alarms',
    imports: [...CDK, 'lib/constructs/parts', DOMAIN.deployment],
  },
  'lib/constructs/functions': {
    is: 'a Lambda, its code, and what calls it: schedules, streams, routes, dead letters',
    imports: [
      ...CDK,
      'lib/constructs/parts',
      'lib/constructs/rights',
      'lib/constructs/watch',
      'lib/env.ts',
      'lib/ports-opened.ts',
      DOMAIN.base,
      DOMAIN.deployment,
      'esbuild',
      'node:fs',
      'node:path',
    ],
  },
  'lib/constructs/rules': {
    is: 'what `cdk synth` refuses in an app, what an exemption lets through, and the two signing keys outside a ring',
    imports: [...CDK, 'lib/constructs/parts', DOMAIN.base, DOMAIN.rings, 'node:fs', 'node:path'],
  },
  'lib/constructs/evidence': {
    is: 'the evidence log as deployed',
    imports: [
      ...CDK,
      'lib/constructs/parts',
      'lib/constructs/rights',
      'lib/constructs/functions',
      'lib/constructs/rules',
      DOMAIN.base,
      DOMAIN.deployment,
    ],
  },
  'lib/constructs/ring': {
    is: 'a signing key ring as deployed, the plane that rings stand on, and who watches them',
    imports: [
      ...CDK,
      'lib/constructs/parts',
      'lib/constructs/rights',
      'lib/constructs/watch',
      'lib/constructs/functions',
      'lib/constructs/rules',
      'lib/constructs/evidence',
      DOMAIN.base,
      DOMAIN.jose,
      DOMAIN.store,
      DOMAIN.rings,
      DOMAIN.deployment,
    ],
  },
  'lib/constructs/offboarding': {
    is: 'departures as deployed: intake, case tables, the state machine',
    imports: [
      ...CDK,
      'lib/constructs/parts',
      'lib/constructs/rights',
      'lib/constructs/watch',
      'lib/constructs/functions',
      'lib/constructs/ring',
      DOMAIN.base,
      DOMAIN.store,
      DOMAIN.intake,
      DOMAIN.cases,
      DOMAIN.deployment,
    ],
  },
  'lib/stacks': {
    is: 'the three stacks',
    imports: [
      ...CDK,
      'lib/config.ts',
      'lib/constructs/parts',
      'lib/constructs/functions',
      'lib/constructs/evidence',
      'lib/constructs/ring',
      'lib/constructs/offboarding',
      DOMAIN.jose,
      DOMAIN.rings,
    ],
  },
  bin: {
    is: 'the CLI and the CDK app: where a process begins',
    imports: [
      'bin/commands',
      'bin/edge',
      'lib/config.ts',
      'lib/stacks',
      'lib/constructs/functions',
      DOMAIN.base,
      DOMAIN.deployment,
      'aws-cdk-lib',
      'node:',
    ],
  },
  'bin/edge': {
    is: 'the two ends of every command: the terminal, and the deployed instance',
    imports: [
      '@aws-crypto/',
      '@smithy/',
      'lib/aws',
      'lib/ports.ts',
      'lib/parsed-tables.ts',
      'lib/constructs/parts',
      DOMAIN.base,
      DOMAIN.store,
      DOMAIN.deployment,
      '@aws-sdk/',
    ],
  },
  'bin/commands': {
    is: 'the commands of the CLI, one file per noun',
    imports: [
      'bin/edge',
      'lib/aws',
      'lib/ports.ts',
      'lib/report',
      'lib/verifier',
      'lib/work/cases',
      'lib/work',
      'lib/work/rings',
      'lib/domain/',
      '@aws-sdk/',
      'node:fs',
      'node:path',
    ],
  },
  emulator: {
    is: 'the local AWS: start it, patch what it lacks, deploy into it',
    imports: [DOMAIN.base, '@aws-sdk/', 'node:'],
  },
  'tools/account-check': {
    is: 'the first run on a real account: what AWS does, beside what the twins do',
    imports: [
      'bin/edge',
      'bin/commands',
      'emulator',
      'lib/aws',
      'lib/local',
      'lib/ports.ts',
      DOMAIN.base,
      '@aws-sdk/',
      'node:',
    ],
  },
  demo: {
    is: 'the story that `npm run demo` plays and observes',
    imports: [
      'bin/edge',
      'bin/commands',
      'emulator',
      'lib/config.ts',
      'lib/verifier',
      'lib/work/rings',
      'lib/domain/',
      '@aws-sdk/',
      '@aws-crypto/',
      '@smithy/',
      'esbuild',
      'jose',
      'standardwebhooks',
      'node:',
    ],
  },
};

/** The room of a file: its folder, or the file itself where it stands alone in lib/. */
export function roomOf(file: string): string {
  const folder = file.slice(0, file.lastIndexOf('/'));
  return folder === 'lib' ? file : folder;
}
