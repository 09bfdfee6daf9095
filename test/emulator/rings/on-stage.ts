import { type Stage, setStage } from './stage';

/** One stage for the suites of a file, put up before the first test and taken down after the last, newest first. */
export function onStage(): () => Stage {
  let stage: Stage;
  const undo: Stage['undo'] = [];
  beforeAll(async () => {
    stage = await setStage(undo);
  });
  afterAll(async () => {
    for (const step of undo.reverse()) await step();
  });
  return () => stage;
}
