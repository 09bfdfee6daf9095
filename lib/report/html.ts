/**
 * HTML by construction: whatever is put into a template is escaped; markup is what is written here and nothing else.
 *
 *     html`<p title="${hostile}">${hostile}</p>`        the one escape serves text and double-quoted attributes
 *
 * There is no way to pass a string through unescaped, so nothing that a record says can become a tag or an attribute.
 */
export class Html {
  private constructor(readonly markup: string) {}

  static of(literals: readonly string[], parts: readonly Part[]): Html {
    return new Html(literals.map((literal, i) => literal + (i < parts.length ? markupOf(parts[i]) : '')).join(''));
  }
}

type Part = Html | string | number | undefined | readonly Part[];

export function html(literals: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return Html.of(literals, parts);
}

export const NOTHING = html``;

function markupOf(part: Part): string {
  if (part === undefined) return '';
  if (part instanceof Html) return part.markup;
  if (typeof part === 'object') return part.map(markupOf).join('');
  return escapeText(String(part));
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};

function escapeText(text: string): string {
  return showInvisible(text).replace(/[&<>"'`]/g, (character) => ENTITIES[character] ?? '');
}

/** Direction marks and control characters could make a line read otherwise than it is: they are spelled out. */
function showInvisible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) =>
    character === '\n' ? character : `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}
