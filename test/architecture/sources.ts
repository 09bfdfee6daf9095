/** The product's files as text: which there are, what each imports, and which of it is code. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

export const PROJECT = resolve(__dirname, '..', '..');

export interface Import {
  /** A file of ours, from the project's root; or the name of a package. */
  readonly target: string;
  /** Gone at run time. */
  readonly typeOnly: boolean;
}

const FROM = /^(import|export)(\s+type)?\b[^'";]*?\bfrom\s+'([^']+)'/gm;
const BARE = /^import\s+'([^']+)'/gm;
const CALLED = /(typeof\s+)?\b(?:import|require)\(\s*'([^']+)'\s*\)/g;

export function importedNames(source: string): { readonly name: string; readonly typeOnly: boolean }[] {
  return (
    [
      ...[...source.matchAll(FROM)].map(([, , type, name = '']) => ({ name, typeOnly: type !== undefined })),
      ...[...source.matchAll(BARE)].map(([, name = '']) => ({ name, typeOnly: false })),
      ...[...source.matchAll(CALLED)].map(([, type, name = '']) => ({ name, typeOnly: type !== undefined })),
    ]
      // Written into a generated file, not imported by this one.
      .filter(({ name }) => !name.includes('${'))
  );
}

function importsOf(file: string): Import[] {
  return importedNames(textOf(file)).map(({ name, typeOnly }) => ({
    target: name.startsWith('.') ? fileOf(file, name) : name,
    typeOnly,
  }));
}

/** A file of ours; undefined of what is none, or no TypeScript. */
export function findFile(from: string, specifier: string): string | undefined {
  const path = join(dirname(from), specifier);
  return [`${path}.ts`, join(path, 'index.ts')].find((candidate) => existsSync(join(PROJECT, candidate)));
}

function fileOf(from: string, specifier: string): string {
  const found = findFile(from, specifier);
  if (found === undefined) throw new Error(`${from} imports ${specifier}, which is not there`);
  return found;
}

export function filesUnder(...folders: readonly string[]): string[] {
  return folders.flatMap((folder) =>
    readdirSync(join(PROJECT, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => join(folder, path)),
  );
}

export const FILES = filesUnder('bin', 'demo', 'emulator', 'lib', 'lambdas', 'tools');
export const IMPORTS = new Map(FILES.map((file) => [file, importsOf(file)]));

export function textOf(file: string): string {
  return readFileSync(join(PROJECT, file), 'utf8');
}

/** Without comments; texts stay. */
export function codeWithTexts(file: string): string {
  return textOf(file).replace(/\/\*[\s\S]*?\*\//g, '');
}

/** The code alone: what a comment or a text says does not run. */
export function codeOf(file: string): string {
  return codeWithTexts(file)
    .replace(/'(?:[^'\\\n]|\\.)*'/g, "''")
    .replace(/(^|\s)\/\/.*$/gm, '$1');
}

/** Every file that `file` loads, itself included, by any way. */
export function reachedFrom(file: string): Set<string> {
  const reached = new Set<string>();
  const visit = (next: string): void => {
    if (reached.has(next)) return;
    reached.add(next);
    for (const { target, typeOnly } of IMPORTS.get(next) ?? []) if (!typeOnly) visit(target);
  };
  visit(file);
  return reached;
}
