/**
 * The demo, told in plain words and observed as it goes. Runs as a child of demo/main.ts with the emulator's environment:
 *
 *     story.ts DIR OUT      DIR: the run's own folder, with the PEM   OUT: where the results go
 */

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeReport } from '../bin/commands/report';
import { deploy } from '../emulator/deploy';
import { LOCAL_REGION } from '../emulator/emulator';
import { patchAfterDeploy } from '../emulator/patch';
import { endWithParent } from '../emulator/supervised';
import { parseConfiguration } from '../lib/config';
import { jwkFromSpki } from '../lib/domain/jose/jwk';
import { after } from './after';
import { before } from './before';
import { appointApprovers } from './cast';
import { depart } from './departure';
import { prove } from './proof';
import { AUDIENCE, HR_SOURCE, INSTANCE, ISSUER, now, POLL_SECONDS, RING, setStage } from './stage';
import { notProvedHere, shrunk, timings, writeOutputs } from './summary';

async function tell(dir: string, out: string): Promise<boolean> {
  const say = (line: string) => process.stdout.write(`${line}\n`);
  // Before the deployment: the configuration names them by what IAM calls them.
  const configuration = configurationOf(dir, await appointApprovers());
  const { settings } = parseConfiguration(configuration);
  await deploy({ dir, configuration, log: (line) => say(`  ${line}`) });
  const patched = await patchAfterDeploy(join(dir, 'cdk.out'));
  for (const line of patched) say(`  the emulator left out, so set and read back: ${line}`);
  const stage = await setStage(dir, out, say);
  const { checks } = stage;

  say('\n1. The company, and the breach');
  const start = await before(stage, `whsec_${randomBytes(24).toString('base64')}`);
  say('\n2. W-1042 leaves');
  const departure = await depart(stage, start);
  say('\n3. What still works, and what does not');
  const end = await after(stage, start, departure);
  say('\n4. The evidence');
  const records = await prove(stage, start, departure.meta.caseId);

  const times = timings(departure, records);
  const provedWithin = times.provedAt - times.hrEventAt;
  // How fast is the machine's doing as well, so it is told and is no check: a slow run proves as much.
  const goals = [
    {
      goal: 'the webhook is answered within 1 s',
      seconds: departure.answeredWithin,
      ok: departure.answeredWithin <= 1,
    },
    { goal: 'the last claim is proved within 60 s of the HR event', seconds: provedWithin, ok: provedWithin <= 60 },
  ];
  for (const { goal, seconds, ok } of goals) say(`  ${ok ? 'ok  ' : 'slow'} ${goal}: ${seconds.toFixed(2)} s`);

  const summary = {
    engine: 'emulator',
    case: departure.meta.caseId,
    settings: shrunk(settings),
    timings: times,
    goals,
    counts: {
      members: start.members.length,
      resigned: end.tokens.length,
      leaverTokens: start.leaver.length,
      forged: start.forged.length,
      records: records.length,
      checks: checks.all.length,
    },
    checks: checks.all,
    patched,
    notProvedHere: notProvedHere(settings, end),
  };
  writeOutputs(stage, start, end, summary);
  writeReport({ dir: join(out, 'evidence'), out: join(out, 'report.html'), summary: join(out, 'summary.json') });

  say(
    `\n${checks.all.length - checks.failed.length} of ${checks.all.length} checks ok; proved ${provedWithin} s after the HR event`,
  );
  say('not proved here:');
  for (const line of summary.notProvedHere) say(`  - ${line}`);
  return checks.failed.length === 0;
}

/** Local differences, all of them: the emulator's address, and waits short enough to watch. */
function configurationOf(dir: string, approvers: readonly object[]): object {
  const { kid: _kid, ...jwk } = jwkFromSpki(readFileSync(join(dir, 'legacy.spki')), 'ES256');
  return {
    instance: INSTANCE,
    region: LOCAL_REGION,
    stage: 'trial',
    publicBaseUrl: `${process.env.AWS_ENDPOINT_URL}/_aws/execute-api/{apiId}/$default`,
    logOrigin: 'shop.example/curfew-demo',
    settings: {
      propagationSeconds: 1,
      verifierCacheSeconds: 1,
      feedPollSeconds: POLL_SECONDS,
      drainSeconds: 8,
      collectGraceSeconds: 0,
    },
    rings: [
      {
        id: RING,
        issuer: ISSUER,
        audience: AUDIENCE,
        rotationCheckMinutes: 1,
        periodDays: 30,
        legacyKeys: [{ jwk, verifyUntil: now() + 90 * 86_400, approver: 'CHG-2025-0142' }],
      },
    ],
    approvers,
    sources: {
      [HR_SOURCE]: { scheme: 'standard-webhooks', corroboration: 'signed-fact' },
      bamboohr: { scheme: 'bamboohr', zone: 'America/New_York' },
    },
  };
}

const [dir = '', out = ''] = process.argv.slice(2);
endWithParent();
// Ends here and now, whatever the sampler or a connection still waits for.
tell(dir, out).then(
  (ok) => process.exit(ok ? 0 : 1),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(2);
  },
);
