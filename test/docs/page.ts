/** A document as its reader sees it: sections, code blocks, tables. What it shows is taken from here and run. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const PROJECT = resolve(__dirname, '..', '..');

export class Page {
  readonly text: string;

  constructor(readonly path: string) {
    this.text = readFileSync(join(PROJECT, path), 'utf8');
  }

  /** From a heading, given with its `#`, to the next of the same level or above. */
  section(heading: string): string {
    const from = `\n${this.text}`.indexOf(`\n${heading}\n`);
    if (from < 0) throw new Error(`${this.path} has no section ${heading}`);
    const level = heading.indexOf(' ');
    return this.text.slice(from + heading.length).split(new RegExp(`^#{1,${level}} `, 'm'))[0] ?? '';
  }

  /** The one block of a language that holds a text, without the indent of a list. */
  block(language: string, holding: string): string {
    const pattern = new RegExp(`^( *)\`\`\`${language}\\n([\\s\\S]*?)^ *\`\`\``, 'gm');
    const blocks = [...this.text.matchAll(pattern)].map(([, indent = '', text = '']) =>
      text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
    );
    const [found, ...more] = blocks.filter((text) => text.includes(holding));
    if (found === undefined || more.length > 0)
      throw new Error(`${this.path} has not one block of ${language} with ${holding}`);
    return found;
  }

  /** Cells of the body rows of the first table after a text; `\|` is a bar within a cell. */
  tableAfter(text: string): string[][] {
    const from = this.text.indexOf(text);
    const rows = from < 0 ? undefined : this.text.slice(from).match(/(^\|.*\|\n)+/m)?.[0];
    if (rows === undefined) throw new Error(`${this.path} has no table after ${text}`);
    return rows
      .trim()
      .split('\n')
      .slice(2)
      .map((row) =>
        row
          .split(/(?<!\\)\|/)
          .slice(1, -1)
          .map((cell) => cell.trim().replaceAll('\\|', '|')),
      );
  }
}

export const unquoted = (cell = '') => cell.replaceAll('`', '');
