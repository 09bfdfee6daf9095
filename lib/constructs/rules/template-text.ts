/** What can be read of a template before it is deployed: macros and loops hide whole members. */

type Properties = Readonly<Record<string, unknown>>;

/** A macro, an included file or a loop: CloudFormation puts other members beside or instead of it. */
export function isRewritten(member: string): boolean {
  return member === 'Fn::Transform' || isLoop(member);
}

export function isLoop(member: string): boolean {
  return member.startsWith('Fn::ForEach::');
}

/** A pattern as an expression: case does not count, `*` and `?` stand for anything. */
export function glob(pattern: string): RegExp {
  const escaped = pattern.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 'i');
}

/** Of anything: what is no object has none. */
export function propertiesOf(value: unknown): Properties {
  return typeof value === 'object' && value !== null ? (value as Properties) : {};
}
