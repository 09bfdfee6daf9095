/**
 * The templates of the example configuration, for tests that look at nothing else. `npm test` synthesises them once and
 * names the folder in CURFEW_TEMPLATES; without it (`npx jest FILE`) a test file synthesises them itself.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Stage } from '../../lib/constructs/parts/stage';

export interface Resource {
  readonly Type: string;
  // biome-ignore lint/suspicious/noExplicitAny: templates are read by the shape the assertion expects
  readonly Properties: any;
  readonly DependsOn?: readonly string[];
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}
export type Resources = Readonly<Record<string, Resource>>;

/** By stack. */
export interface Templates {
  readonly evidence: Resources;
  readonly signing: Resources;
  readonly offboarding: Resources;
}

export const fileOf = (folder: string, stage: Stage) => join(folder, `${stage}.json`);

export function templatesOf(stage: Stage): Templates {
  const folder = process.env.CURFEW_TEMPLATES;
  if (folder) return JSON.parse(readFileSync(fileOf(folder, stage), 'utf8')) as Templates;
  // Loaded here, for it loads the CDK: that takes longer than most tests.
  const { synthesise } = require('./synthesised') as typeof import('./synthesised');
  return synthesise(stage);
}

export function ofType(resources: Resources, type: string): [string, Resource][] {
  return Object.entries(resources).filter(([, resource]) => resource.Type === type);
}

export interface Statement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

export function asList<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? value : [value as T];
}
