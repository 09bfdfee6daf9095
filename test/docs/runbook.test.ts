/** docs/runbook.md: a section per alarm, to which the alarm itself points, and the procedures of a first deployment. */
import { KMSClient } from '@aws-sdk/client-kms';
import { COMMANDS } from '../../bin/commands';
import { KmsRingKeys } from '../../lib/aws/kms-ring-keys';
import { ALARMS, type AlarmName, runBookOf } from '../../lib/constructs/watch/alarms';
import { answering } from '../aws/answering';
import { ofType, type Resources, templatesOf } from '../constructs/templates';
import { Page } from './page';

const { text } = new Page('docs/runbook.md');
const PROCEDURES = ['A name of your own, at a first deployment', 'A first deployment that failed'];
const all = text
  .split(/^## /m)
  .slice(1)
  .map((section) => [section.split('\n')[0] ?? '', section] as const);
const sections = all.filter(([name]) => !PROCEDURES.includes(name));

test('there is a section per alarm, and an alarm per section', () => {
  expect(sections.map(([name]) => name)).toEqual(Object.keys(ALARMS));
  expect(sections.map(([name]) => `docs/runbook.md#${name.toLowerCase()}`)).toEqual(
    (Object.keys(ALARMS) as AlarmName[]).map(runBookOf),
  );
});

test.each(sections)('%s says what it means, where to look and what to do', (_, section) => {
  expect(section).toMatch(/^\w+\n\n\S[\s\S]*\n\nLook: [\s\S]*\n\nDo(?::|, by )/);
});

test('the procedures come after the alarms, and the first lines link to them', () => {
  expect(all.map(([name]) => name).slice(sections.length)).toEqual(PROCEDURES);
  for (const name of PROCEDURES) {
    const anchor = name.toLowerCase().replaceAll(',', '').replaceAll(' ', '-');
    expect(text.slice(0, text.indexOf('## '))).toContain(`](#${anchor})`);
  }
});

describe('B4: a first deployment that failed', () => {
  const page = new Page('docs/runbook.md');
  const { evidence, signing, offboarding } = templatesOf('production');

  test('what stays behind is what the templates retain whatever happens', () => {
    const staying = (resources: Resources, type: string) =>
      ofType(resources, type).filter(([, { DeletionPolicy }]) => DeletionPolicy === 'Retain').length;
    const row = (name: string, resources: Resources) => {
      const tables = staying(resources, 'AWS::DynamoDB::GlobalTable');
      const buckets = staying(resources, 'AWS::S3::Bucket');
      expect(staying(resources, 'AWS::S3::BucketPolicy')).toBe(buckets);
      const all = Object.values(resources).filter(({ DeletionPolicy }) => DeletionPolicy === 'Retain').length;
      expect(all).toBe(tables + 2 * buckets);
      const policies = ['', '1 bucket with its policy', `${buckets} buckets with their policies`][Math.min(buckets, 2)];
      return [name, [`${tables} tables`, ...(policies ? [policies] : [])].join(', ')];
    };
    const shown = page.tableAfter('These stay behind').map(([stack, stays]) => [stack, stays]);
    expect(shown).toEqual([row('evidence', evidence), row('signing', signing), row('offboarding', offboarding)]);
  });

  test('keys of rings are found by a tag that they carry', async () => {
    const { asked, config } = answering(() => ({ body: { KeyMetadata: { KeyId: '1', Arn: 'arn:1' } } }));
    const ringKeys = new KmsRingKeys('INSTANCE', new KMSClient(config));
    await ringKeys.create({
      algorithm: 'ES256',
      slotTag: 'INSTANCE/customer-api/1',
      policy: '{}',
      bypassPolicyLockoutSafetyCheck: true,
    });
    const [, key, value] = /--tag-filters Key=([^,]+),Values=(\w+)/.exec(page.text) ?? [];
    expect(asked[0]?.input.Tags).toContainEqual({ TagKey: key, TagValue: value });
  });

  test('a stack is protected when it is created, so its protection has to go before it', () => {
    const commands = page.block('sh', 'describe-stack-events');
    const order = [
      'describe-stack-events',
      'DELETE_SKIPPED',
      'disable-key',
      'update-termination-protection',
      'cdk deploy',
    ];
    const at = order.map((command) => commands.indexOf(command));
    expect(at).toEqual([...at].sort((a, b) => a - b));
    expect(at).not.toContain(-1);
  });
});

test('every command it names is one, with the options that it needs', () => {
  const shown = [...text.matchAll(/`curfew (ring \w+|doctor)([^`]*)`/g)];
  expect(shown.length).toBeGreaterThan(8);
  for (const [, command = '', more = ''] of shown) {
    expect(Object.keys(COMMANDS)).toContain(command);
    const { usage } = COMMANDS[command as keyof typeof COMMANDS];
    const options = (given: string) => given.match(/--[a-z]+/g) ?? [];
    // What stands in brackets is left out where nobody needs it.
    expect([command, options(more)]).toEqual([command, options(usage.replace(/\[.*?\]/g, ''))]);
  }
});
