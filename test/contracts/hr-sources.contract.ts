/** What every HrSources owes its callers. */
import type { HrSources } from '../../lib/ports';

export interface HrSourcesHarness {
  /** Reads as a cold process would. */
  fresh(): HrSources;
  /** As a deployment writes them. */
  write(sources: object): void;
}

const HR = { scheme: 'bamboohr', corroboration: 'confirmed', secretArn: 'arn:hr' } as const;
const PEOPLE = { scheme: 'standard-webhooks', corroboration: 'signed-fact', secretArn: 'arn:people' } as const;

export function hrSourcesContract(make: () => HrSourcesHarness): void {
  test('a source is found by its name, and what is no source is not', async () => {
    const harness = make();
    harness.write({ hr: HR, people: PEOPLE });
    const sources = harness.fresh();
    expect([await sources.find('hr'), await sources.find('people')]).toEqual([HR, PEOPLE]);
    for (const name of ['nobody', '', 'HR', 'constructor', '__proto__', 'arn:hr'])
      expect([name, await sources.find(name)]).toEqual([name, undefined]);
  });

  test('without sources none is found', async () => {
    const harness = make();
    harness.write({});
    expect(await harness.fresh().find('hr')).toBeUndefined();
  });

  test('what no deployment writes is refused by the name of its member, and whoever is asked for', async () => {
    const harness = make();
    harness.write({ people: PEOPLE, hr: { ...HR, scheme: 'basic' } });
    for (const name of ['hr', 'people'])
      await expect(harness.fresh().find(name)).rejects.toMatchObject({
        code: 'ERR_CONFIG_INVALID',
        message: 'the HR sources of the deployment cannot be read: hr.scheme is not what it must be',
      });
  });
}
