/** Links from a figure to the record it comes from, and the anchors they lead to. */
import type { IndexedRecord } from '../domain/audit/bundle';
import { type Html, html } from './html';

export function anchorOf({ index }: IndexedRecord): string {
  return `record-${index}`;
}

export function cite(record: IndexedRecord | undefined): Html | undefined {
  return record && html`<a class="cite" href="#${anchorOf(record)}">record&nbsp;${record.index}</a>`;
}

/** What a sentence or figure says, as the link to its record itself. */
export function citing(record: IndexedRecord | undefined, said: string | number): Html {
  return record === undefined ? html`${said}` : html`<a href="#${anchorOf(record)}">${said}</a>`;
}
