/** Colour, sign and word together: none of them is needed to read the other two. */
import { type Html, html } from './html';

export type Tone = 'good' | 'open' | 'bad';

/** A tick, an exclamation mark, a cross; each in a shape of its own. */
const SIGNS: Readonly<Record<Tone, Html>> = {
  good: html`<circle cx="12" cy="12" r="11" /><path d="M6.5 12.5l3.6 3.6 7.4-8" />`,
  open: html`<path class="solid" d="M12 1.5L23 21.5H1z" /><path d="M12 9v6M12 17.6v.8" />`,
  bad: html`<rect x="1" y="1" width="22" height="22" rx="3" /><path d="M7.5 7.5l9 9M16.5 7.5l-9 9" />`,
};

export function mark(tone: Tone, word: string): Html {
  return html`<span class="mark-${tone}"><svg class="sign" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true">${SIGNS[tone]}</svg>${word}</span>`;
}
