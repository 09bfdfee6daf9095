/** README.md: what it shows and what it claims. The pages under docs/ have their own tests in test/docs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesUnder, textOf } from './architecture/sources';
import { Page, PROJECT, unquoted } from './docs/page';

const readme = new Page('README.md');
const PACKAGE = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'));
const DEMO = filesUnder('demo').map(textOf).join('\n');

describe('try it', () => {
  test('the commands are there, and Node and Python are as old as they may be', () => {
    expect(readme.block('sh', 'npm ci').trim().split('\n')).toEqual(['npm ci', 'npm run demo']);
    expect(PACKAGE.scripts.demo).toBe('node --import tsx demo/main.ts');
    expect(`Node ${PACKAGE.engines.node.replace('>=', '≥ ')}`).toBe('Node ≥ 20.19');
    expect(readme.section('## Try it')).toContain('Node ≥ 20.19 and Python ≥ 3.10');
  });

  test('each file that the table names is one that the demo writes', () => {
    const files = readme.tableAfter('`demo-out/`').flatMap(([names = '']) => unquoted(names).split(', '));
    expect(files).toHaveLength(6);
    for (const file of files) expect([file, DEMO.includes(`'${file.replace(/\/$/, '')}'`)]).toEqual([file, true]);
  });
});
