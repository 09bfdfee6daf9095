/** The syntax of a file, as swc reads it: its nodes in order, each with what it stands in and its text. */
import { parseSync } from '@swc/core';

export interface Node {
  readonly type: string;
  readonly text: string;
  /** Innermost first. */
  readonly within: readonly Node[];
  readonly raw: Raw;
}

/** As much of a node of swc as every one has; the rest is asked for by name. */
type Raw = { readonly type: string; readonly span: { readonly start: number; readonly end: number } } & Readonly<
  Record<string, unknown>
>;

export function nodesIn(source: string): readonly Node[] {
  // swc counts on from the file before, and a module begins with its first token: so that is one of ours.
  const bytes = Buffer.from(`;${source}`);
  const module = parseSync(bytes.toString(), { syntax: 'typescript', target: 'es2022' });
  const nodes: Node[] = [];
  const visit = (value: unknown, within: readonly Node[]): void => {
    if (Array.isArray(value)) for (const one of value) visit(one, within);
    else if (typeof value === 'object' && value !== null) {
      const node = isRaw(value) ? nodeOf(value, within) : undefined;
      if (node) nodes.push(node);
      for (const member of Object.values(value)) visit(member, node ? [node, ...within] : within);
    }
  };
  const nodeOf = (raw: Raw, within: readonly Node[]): Node => {
    const text = bytes.subarray(raw.span.start - module.span.start, raw.span.end - module.span.start).toString();
    return { type: raw.type, text: text.replaceAll(/\s+/g, ' '), within, raw };
  };
  visit(module.body, []);
  return nodes;
}

function isRaw(value: object): value is Raw {
  return 'type' in value && 'span' in value;
}
