/** `write-templates.ts FOLDER`: writes every stack of every configuration there, for tools that read templates. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { CONFIGURATIONS } from './configurations';
import { synthesise } from './synthesised';

const [folder = ''] = process.argv.slice(2);
for (const [name, { stage, changes }] of Object.entries(CONFIGURATIONS))
  for (const stack of synthesise(stage, changes).app.node.children.filter(Stack.isStack)) {
    const file = join(folder, `${name.replaceAll(' ', '-')}.${stack.stackName}.json`);
    writeFileSync(file, JSON.stringify(Template.fromStack(stack).toJSON(), undefined, 1));
  }
