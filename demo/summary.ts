/** What the demo leaves behind: summary.json and its neighbours, in a folder made whole before it gets its name. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { IndexedRecord } from '../lib/domain/audit/bundle';
import { SETTINGS, type Settings } from '../lib/domain/deployment/settings';
import type { RecordType } from '../lib/domain/evidence/record';
import type { After } from './after';
import type { Before } from './before';
import type { Departure } from './departure';
import type { Stage } from './stage';

/** Epoch seconds; those of the case are the instants its own records carry. */
export function timings({ meta, hrEventAt, acceptedAt }: Departure, records: readonly IndexedRecord[]) {
  const ofCase = records.map(({ record }) => record).filter((record) => record.case === meta.caseId);
  const last = (type: RecordType, kind?: string) =>
    Math.max(
      ...ofCase
        .filter((record) => record.type === type && (kind === undefined || record.body.kind === kind))
        .map(({ at }) => at),
    );
  return {
    hrEventAt,
    acceptedAt,
    blockedAt: last('item.contained', 'cut-off'),
    containedAt: last('case.contained'),
    plannedAt: last('case.planned'),
    resignedAt: last('wave.completed'),
    deniedAt: last('key.denied'),
    provedAt: last('item.proved'),
    closedAt: last('case.closed'),
  };
}

export function notProvedHere(settings: Settings, { warmedJoseAccepts }: After): string[] {
  const jose = warmedJoseAccepts
    ? 'stock verifiers with a warm JWKS cache: jose, filled before the departure, still accepted an old token when the case had closed (measured here); its default cache is 10 minutes, and a forgery by the PEM passes there as long'
    : 'stock verifiers with a warm JWKS cache: jose, filled before the departure, had dropped the old key by the end (measured here); its default cache is 10 minutes';
  return [
    jose,
    'API Gateway authorisers (HTTP API up to 2 h, REST 1 h), aws-jwt-verify’s simple cache and go-oidc (until restart or an unknown kid) were not run here',
    'whether the console refuses the old password: only that the login profile is gone',
    'IAM’s eventual consistency: the emulator is consistent at once, AWS takes seconds to minutes',
    'KMS conditions kms:MessageType, kms:SigningAlgorithm, kms:KeySpec and resource tags: the emulator does not evaluate them; their denies are in the key policy and are tested as text',
    'the deny of puts without If-None-Match on the evidence bucket: the emulator does not know s3:if-none-match, so it stands in production templates only and is tested as text',
    'service control policies, KMS grants and rights of the state machine’s own role: stored, not evaluated, by the emulator',
    `the second rotation: a linked case is due when every session alive at containment has expired (${settings.sessionSecondsMax} s)`,
    'independence from the operator: no outside witness signed the checkpoint',
  ];
}

export function shrunk(settings: Settings) {
  return Object.fromEntries(
    Object.entries(SETTINGS)
      .filter(([name, { default: usual }]) => settings[name as keyof Settings] !== usual)
      .map(([name, { default: usual, says }]) => [
        name,
        { here: settings[name as keyof Settings], default: usual, says },
      ]),
  );
}

export function writeOutputs({ out }: Stage, before: Before, after: After, summary: object): void {
  const write = (name: string, value: object) =>
    writeFileSync(join(out, name), `${JSON.stringify(value, undefined, 2)}\n`);
  write('tokens.json', { tokens: after.tokens, leaver: before.leaver, forged: before.forged });
  write('jwks-before.json', JSON.parse(before.jwksBefore));
  write('jwks-after.json', JSON.parse(after.jwksAfter));
  write('summary.json', summary);
}
