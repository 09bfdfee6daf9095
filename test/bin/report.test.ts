import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeReport } from '../../bin/commands/report';
import { type Departed, departed, summaryOf } from '../report/departure-bundle';

let done: Departed;
let folder: string;
beforeAll(async () => {
  done = await departed();
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'curfew-page-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const summaryFile = (more: object = {}) => {
  const { timings, ...rest } = summaryOf(done);
  const path = join(folder, 'summary.json');
  writeFileSync(
    path,
    JSON.stringify({ ...rest, timings: Object.fromEntries(timings.map(({ name, at }) => [name, at])), ...more }),
  );
  return path;
};

test('one page over a bundle, with the checkpoint and the key that stand in it, into a folder that need not exist', () => {
  const out = join(folder, 'new', 'report.html');
  expect(writeReport({ dir: done.dir, out, summary: summaryFile() })).toEqual({ out, outcome: 'proved', exitCode: 0 });
  const page = readFileSync(out, 'utf8');
  const [origin = '', size = '', root = ''] = readFileSync(join(done.dir, 'checkpoint'), 'utf8').split('\n');
  expect(page).toContain(`<pre class="note"><code>${origin}\n${size}\n${root}\n`);
  expect(page).toContain(readFileSync(join(done.dir, 'log.vkey'), 'utf8').trim());
  expect(page).toContain('access-key-refused-after');
});

test('with the pinned key the page does not call the key one of the bundle', () => {
  const out = join(folder, 'report.html');
  writeReport({ dir: done.dir, out, vkey: readFileSync(join(done.dir, 'log.vkey'), 'utf8').trim() });
  expect(readFileSync(out, 'utf8')).toContain('was given beforehand');
});

test('evidence that was tampered with gets its page too, and it says so', () => {
  const entries = join(done.dir, `tile/entries/000.p/${done.verdict.records.length}`);
  const kept = readFileSync(entries);
  const tampered = Buffer.from(kept);
  tampered.write('Active"', tampered.indexOf('Inactive"'));
  writeFileSync(entries, tampered);
  const out = join(folder, 'report.html');
  try {
    expect(writeReport({ dir: done.dir, out })).toMatchObject({ outcome: 'unverified', exitCode: 1 });
  } finally {
    writeFileSync(entries, kept);
  }
  expect(readFileSync(out, 'utf8')).toContain('<h1>This evidence does not verify.</h1>');
});

test.each([
  ['a folder that is not there', () => ({ dir: join(folder, 'none') }), 'ERR_NOT_FOUND', /^there is no /],
  ['a summary that is not there', () => ({ summary: join(folder, 'none') }), 'ERR_NOT_FOUND', /^there is no summary /],
  [
    'the summary of another case',
    () => ({ summary: summaryFile({ case: 'c-other' }) }),
    'ERR_INPUT_INVALID',
    /^the summary is of another case than the evidence$/,
  ],
])('%s is refused, and no page is written', (_what, given, code, message) => {
  const out = join(folder, 'report.html');
  expect(() => writeReport({ dir: done.dir, out, ...given() })).toThrow(
    expect.objectContaining({ code, message: expect.stringMatching(message) }),
  );
  expect(existsSync(out)).toBe(false);
});
