import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { PROJECT, textOf } from './sources';

const DOCUMENTS = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...readdirSync(join(PROJECT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md'))
    .map((path) => join('docs', path)),
];

test('the seven stops of a departure are there, and docs/departure.md leads through them in order', () => {
  const stops = [
    'lambdas/intake.ts',
    'lib/domain/intake/statement.ts',
    'lib/domain/cases/case.ts',
    'lib/domain/cases/plan.ts',
    'lambdas/conductor.ts',
    'lib/domain/evidence/record.ts',
    'lib/domain/tlog/checkpoint.ts',
    'bin/commands/evidence.ts',
  ];
  for (const stop of stops) expect([stop, existsSync(join(PROJECT, stop))]).toEqual([stop, true]);
  const text = textOf('docs/departure.md');
  const way = text.slice(text.indexOf('## Seven stops'), text.indexOf('## The order of the steps'));
  const linked = [...way.matchAll(/\]\(\.\.\/([^)]+)\)/g)].map(([, link = '']) => link);
  expect(linked).toEqual(stops);
});

test.each(DOCUMENTS)('every relative link of %s leads somewhere', (document) => {
  const text = proseOf(document);
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^https?:/.test(link));
  const dead = links.filter((link) => {
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? join(PROJECT, document) : join(PROJECT, dirname(document), path);
    if (!existsSync(target)) return true;
    return (
      anchor !== undefined &&
      (statSync(target).isDirectory() || !headingsOf(relative(PROJECT, target)).includes(anchor))
    );
  });
  expect(dead).toEqual([]);
});

test('docs/decisions/README.md lists every decision under its own title, the oldest first', () => {
  const folder = 'docs/decisions';
  const files = readdirSync(join(PROJECT, folder)).filter((file) => file !== 'README.md');
  const listed = [...textOf(`${folder}/README.md`).matchAll(/^- (\S+) \[(.+)\]\((.+)\)$/gm)].map(
    ([, date = '', title = '', file = '']) => ({ date, title, file }),
  );
  expect(listed.map(({ file }) => file).sort()).toEqual(files.sort());
  const dates = listed.map(({ date }) => date);
  expect(dates).toEqual([...dates].sort());
  for (const { date, title, file } of listed) {
    expect(file).toMatch(new RegExp(`^${date}-[a-z0-9-]+\\.md$`));
    expect(textOf(`${folder}/${file}`).startsWith(`# ${title}\n\n${date}\n\n`)).toBe(true);
  }
});

function proseOf(document: string): string {
  return textOf(document).replace(/```[\s\S]*?```/g, '');
}

/** Headings as they are linked to: lower case, spaces as hyphens, nothing else but letters and digits. */
function headingsOf(document: string): string[] {
  return [...proseOf(document).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^a-z0-9 -]/g, '')
      .replaceAll(' ', '-'),
  );
}
