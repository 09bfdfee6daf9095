/** Every record that the page refers to: its bytes as they were hashed, its place in the log, how to find it again. */
import type { IndexedRecord } from '../domain/audit/bundle';
import { formatRecord, RECORD_TYPES } from '../domain/evidence/record';
import { leafHash } from '../domain/tlog/merkle';
import { TILE_WIDTH, tilePath } from '../domain/tlog/tile';
import { anchorOf } from './cite';
import type { CaseFacts } from './facts';
import { type Html, html } from './html';
import { instant } from './time';
import { capital } from './words';

export function appendix(records: readonly IndexedRecord[], facts: CaseFacts, size: number): Html {
  const shown = records.filter((one) => one.record.case === facts.caseId || facts.rings.includes(one));
  return html`<p>${shown.length} of ${records.length} records of the log: those of this case, and all of the key rings it touches. To check one, take the line below as it stands: SHA-256 over a zero byte and the line is its leaf hash, and the entry with its number in the file named beside it is the same line. Characters that cannot be seen are spelled out as <code>\\u{…}</code>.</p>
${shown.map((one) => entry(one, facts, size))}`;
}

function entry(indexed: IndexedRecord, { origin }: CaseFacts, size: number): Html {
  const { index, record } = indexed;
  const line = formatRecord(record);
  return html`<article class="record" id="${anchorOf(indexed)}">
<h3>Record ${index} <span class="type">${record.type}</span></h3>
<p>${capital(RECORD_TYPES[record.type])}. ${instant(record.at, origin)}</p>
<pre><code>${line}</code></pre>
<p class="where">Entry ${index % TILE_WIDTH} of <code>${entryPath(index, size)}</code>, leaf hash <code>${leafHash(Buffer.from(line)).toString('base64')}</code></p>
</article>
`;
}

function entryPath(index: number, size: number): string {
  const tile = Math.floor(index / TILE_WIDTH);
  return tilePath({
    level: 'entries',
    index: tile,
    width: Math.min(TILE_WIDTH, Math.max(size, index + 1) - tile * TILE_WIDTH),
  });
}
