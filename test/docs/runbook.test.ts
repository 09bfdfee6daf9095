/** docs/runbook.md: a section per alarm, to which the alarm itself points. */
import { COMMANDS } from '../../bin/commands';
import { ALARMS, type AlarmName, runBookOf } from '../../lib/constructs/watch/alarms';
import { Page } from './page';

const { text } = new Page('docs/runbook.md');
const sections = text
  .split(/^## /m)
  .slice(1)
  .map((section) => [section.split('\n')[0] ?? '', section] as const);

test('there is a section per alarm, and an alarm per section', () => {
  expect(sections.map(([name]) => name)).toEqual(Object.keys(ALARMS));
  expect(sections.map(([name]) => `docs/runbook.md#${name.toLowerCase()}`)).toEqual(
    (Object.keys(ALARMS) as AlarmName[]).map(runBookOf),
  );
});

test.each(sections)('%s says what it means, where to look and what to do', (_, section) => {
  expect(section).toMatch(/^\w+\n\n\S[\s\S]*\n\nLook: [\s\S]*\n\nDo(?::|, by )/);
});

test('every command it names is one, with the options that it needs', () => {
  const shown = [...text.matchAll(/`curfew (ring \w+|doctor)([^`]*)`/g)];
  expect(shown.length).toBeGreaterThan(8);
  for (const [, command = '', more = ''] of shown) {
    expect(Object.keys(COMMANDS)).toContain(command);
    const { usage } = COMMANDS[command as keyof typeof COMMANDS];
    const options = (given: string) => given.match(/--[a-z]+/g) ?? [];
    expect([command, options(more)]).toEqual([command, options(usage)]);
  }
});
