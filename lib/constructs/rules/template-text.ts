/**
 * What can be read of a template before it is deployed: CloudFormation's functions hide values, texts and whole lists.
 * Whatever fills a text in could be anything, and stands in it as `*`.
 */

type Properties = Readonly<Record<string, unknown>>;

/** The values there may be: lists and both sides of each `Fn::If`, spread out. */
export function valuesIn(value: unknown): unknown[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) return value.flatMap(valuesIn);
  const { Ref: ref, 'Fn::If': choice } = propertiesOf(value);
  if (ref === 'AWS::NoValue') return [];
  return Array.isArray(choice) ? choice.slice(1).flatMap(valuesIn) : [value];
}

/** A text, also one that CloudFormation joins or fills in. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  const { 'Fn::Join': joined, 'Fn::Sub': filled } = propertiesOf(value);
  if (Array.isArray(joined)) {
    const [between, parts] = joined as [unknown, unknown];
    return Array.isArray(parts) ? parts.map((part) => textOf(part) ?? '*').join(String(between)) : '*';
  }
  if (filled === undefined) return undefined;
  const [pattern, given] = Array.isArray(filled) ? filled : [filled];
  // `${!Name}` is the text `${Name}`, and stays one that could be anything.
  return String(pattern).replaceAll(/\$\{([^}]*)\}/g, (_, name: string) => textOf(propertiesOf(given)[name]) ?? '*');
}

/** A macro, an included file or a loop among the members: CloudFormation puts others beside or instead of them. */
export function rewrites(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([member, inner]) => isRewritten(member) || rewrites(inner));
}

export function isRewritten(member: string): boolean {
  return member === 'Fn::Transform' || isLoop(member);
}

export function isLoop(member: string): boolean {
  return member.startsWith('Fn::ForEach::');
}

/** As IAM reads it: case does not count, `*` and `?` do. */
export function glob(pattern: string): RegExp {
  const escaped = pattern.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 'i');
}

/** Of anything: what is no object has none. */
export function propertiesOf(value: unknown): Properties {
  return typeof value === 'object' && value !== null ? (value as Properties) : {};
}
