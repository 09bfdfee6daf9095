/** JSON of RFC 8259 as one reading only: valid UTF-8 without a byte order mark, and no object that names a member twice. */
import { CurfewError, type ErrorCode } from './errors';

/**
 * Two parsers that disagree about one document are how a signed fact becomes another fact. Everything that parsers
 * are known to read differently is refused here; `code` is the caller's own.
 */
export function parseStrictJson(bytes: Uint8Array, code: ErrorCode): unknown {
  let text: string;
  try {
    // ignoreBOM keeps a byte order mark as a character, which no JSON text may begin with.
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new CurfewError(code, 'the body is not valid UTF-8', { allowed: 'utf-8', cause });
  }
  if (text.startsWith('\uFEFF'))
    throw new CurfewError(code, 'the body begins with a byte order mark', { fix: 'send plain UTF-8' });

  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The cause would quote the body, and a body names people.
    throw new CurfewError(code, text === '' ? 'the body is empty' : 'the body is not JSON', {
      allowed: 'one JSON object',
    });
  }
  if (namesMemberTwice(text))
    throw new CurfewError(code, 'an object in the body names a member twice', { fix: 'name each member once' });
  return value;
}

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:,]/g;

/** Walks text that JSON.parse has already accepted, so a string just before a colon is a member's name. */
function namesMemberTwice(text: string): boolean {
  const open: Set<string>[] = [];
  let last = '';
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === '{' || token === '[') open.push(new Set());
    else if (token === '}' || token === ']') open.pop();
    else if (token === ':') {
      const names = open[open.length - 1] as Set<string>;
      const name = JSON.parse(last) as string; // "a" and "\u0061" are one name
      if (names.has(name)) return true;
      names.add(name);
    }
    last = token;
  }
  return false;
}
