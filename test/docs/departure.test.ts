/** docs/departure.md and docs/hr.md: the order of the steps, what HR sends, what people import. */
import { importPeople } from '../../lambdas/people-import';
import { parseConfiguration } from '../../lib/config';
import { EXPOSURE_CLASSES, type ExposureClass, planCase } from '../../lib/domain/cases/plan';
import { STEPS } from '../../lib/domain/cases/steps';
import { parseStatements } from '../../lib/domain/intake/statement';
import { World } from '../../lib/local/world';
import { Page, unquoted } from './page';

const hr = new Page('docs/hr.md');

test('the order of the steps is the order in which the state machine is built', () => {
  const section = new Page('docs/departure.md').section('## The order of the steps');
  const listed = [...section.matchAll(/^(\d+)\. `([a-z-]+)`: /gm)];
  expect(listed.map(([, n]) => Number(n))).toEqual(STEPS.map((_, index) => index + 1));
  expect(listed.map(([, , name]) => name)).toEqual(STEPS.map(({ name }) => name));
});

test('the webhook shown is one, and so is each other type that is named', () => {
  const shown = JSON.parse(hr.block('json', 'worker.terminated'));
  const types = [...new Set(hr.text.match(/worker\.[a-z_]+/g))];
  expect(types).toHaveLength(7);
  for (const type of types)
    expect(
      parseStatements(
        { scheme: 'standard-webhooks' },
        { rawBody: Buffer.from(JSON.stringify({ ...shown, type })), deliveryId: 'd', receivedAt: 1_800_000_000 },
      ),
    ).toMatchObject([{ workerId: 'W-1042', effectiveAt: Date.parse('2026-11-30T09:00:00Z') / 1000 }]);
});

test('the values of corroboration are those there are, and the first is the default', () => {
  const shown = hr.tableAfter('`corroboration` of a source').map(([value = '']) => /`([^`]+)`/.exec(value)?.[1]);
  const corroborationOf = (given: object) => {
    const rings = [{ id: 'customer-api', issuer: 'https://login.example.com/customer-api', audience: 'orders' }];
    const names = {
      instance: 'example',
      region: 'us-east-1',
      stage: 'trial',
      publicBaseUrl: 'https://x',
      logOrigin: 'x',
    };
    const parsed = parseConfiguration({
      ...names,
      rings,
      approvers: 'none',
      sources: { hr: { scheme: 'standard-webhooks', ...given } },
    });
    return parsed.sources.hr?.corroboration;
  };
  expect(shown).toEqual([corroborationOf({}), corroborationOf({ corroboration: 'signed-fact' })]);
});

test('the import shown is accepted', async () => {
  const imported = await importPeople(
    JSON.parse(hr.block('json', '"workers"')),
    new World().deps('people-import'),
    'AIDAIMPORTER0001',
  );
  expect(imported).toEqual({ imported: 5 });
});

test('each class of exposure is answered as the table says', () => {
  const shown = hr.tableAfter('`asset` is').map(([name = '', , says = '']) => ({ name: unquoted(name), says }));
  expect(shown.map(({ name }) => name)).toEqual([...EXPOSURE_CLASSES]);
  let answer = '';
  for (const { name, says } of shown) {
    if (says !== 'the same') answer = says;
    const planned = planCase({
      firstItem: 1,
      followUp: false,
      principals: [],
      exposures: [{ ref: 'e0', ring: 'r', class: name as ExposureClass }],
      keys: [{ ring: 'r', kid: 'k', state: 'ACTIVE' }],
    });
    const said = [
      ...(answer.match(/(?<=`)(compromise|planned)(?=`)/g) ?? []),
      ...(answer.includes('rotates the ring again') ? ['rotate-again'] : []),
    ];
    expect([name, planned.map((item) => (item.kind === 'taint' ? item.class : item.kind))]).toEqual([name, said]);
  }
});
