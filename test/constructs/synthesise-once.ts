/** `synthesise-once.ts FOLDER`: writes the templates of the example configuration there, for every test that looks at them. */
import { writeFileSync } from 'node:fs';
import { synthesise } from './synthesised';
import { fileOf } from './templates';

const [folder = ''] = process.argv.slice(2);
for (const stage of ['production', 'trial'] as const) {
  const { evidence, signing, offboarding } = synthesise(stage);
  writeFileSync(fileOf(folder, stage), JSON.stringify({ evidence, signing, offboarding }));
}
