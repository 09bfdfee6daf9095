/** Instants as a reader of the page wants them: UTC always, and how long after the event that set all in motion. */
import { instant as iso, span } from '../domain/base/time';
import { type Html, html } from './html';

export function formatSince(at: number, origin: number): string {
  return at < origin ? `−${span(origin - at)}` : `+${span(at - origin)}`;
}

/** `2027-01-15 08:00:03 UTC` */
export function utc(at: number): string {
  return iso(at).replace('T', ' ').replace('Z', ' UTC');
}

/** The same, with the offset from the origin where there is one. */
export function instant(at: number, origin?: number): Html {
  const since = origin === undefined ? '' : formatSince(at, origin);
  return html`<time datetime="${iso(at)}">${utc(at)}</time>${since && html` <span class="since">${since}</span>`}`;
}
