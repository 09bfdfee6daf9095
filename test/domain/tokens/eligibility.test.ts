import type { CutOff } from '../../../lib/domain/feed/feed';
import { blind } from '../../../lib/domain/tokens/cut-off';
import { type Candidate, excludedBody, excludedRow } from '../../../lib/domain/tokens/eligibility';
import type { LedgerRow } from '../../../lib/domain/tokens/ledger';
import { CFG, keyRecord, NOW } from '../../support/rings';

const TAINTED_AT = NOW - 100;
const source = keyRecord(9, {
  kind: 'legacy',
  state: 'SUSPECT',
  taint: { class: 'compromise', reason: 'test', at: TAINTED_AT, cases: [] },
});
const row: LedgerRow = {
  tokenSha256: 'token',
  payloadSha256: 'payload',
  subH: 'b',
  clientId: 'web',
  callerArn: 'arn:test',
  iat: TAINTED_AT,
  exp: NOW + 3600,
  fence: 1,
  at: TAINTED_AT,
  ttl: NOW + 7200,
};
const context = { source, drainSeconds: CFG.drainSeconds, now: NOW, committed: new Set(['token']) };
const claims = {
  iss: CFG.iss,
  aud: CFG.aud,
  sub: 'member-1',
  client_id: 'web',
  jti: 'j',
  iat: row.iat,
  exp: row.exp,
  act: { sub: 'agent', act: { sub: 'agent-2' } },
};
const candidate: Candidate = { row, claims, payloadSha256: 'payload', tokenSha256: 'token' };
const PEPPER = 'pepper';

test('a live, committed row from before the taint passes', () => {
  expect(excludedRow(row, context)).toBeUndefined();
  expect(excludedBody(candidate, PEPPER, new Map())).toBeUndefined();
});

test.each<[string, Partial<LedgerRow>, string | undefined]>([
  ['has 30 s left', { exp: NOW + 30 }, 'expired'],
  ['has 31 s left', { exp: NOW + 31 }, undefined],
  ['is over', { exp: NOW - 1 }, 'expired'],
  ['is in no committed list', { tokenSha256: 'planted' }, 'uncommitted'],
  ['was issued in the last second of the drain', { iat: TAINTED_AT + CFG.drainSeconds }, undefined],
  ['says it was issued after the drain', { iat: TAINTED_AT + CFG.drainSeconds + 1 }, 'issued-after-taint'],
])('a row that %s', (_what, more, why) => {
  expect(excludedRow({ ...row, ...more }, context)).toBe(why);
});

test('a wave does not carry the tokens of a legacy key past the end that was set for it', () => {
  expect(excludedRow(row, { ...context, source: { ...source, verifyUntil: NOW } })).toBeUndefined();
  expect(excludedRow(row, { ...context, source: { ...source, verifyUntil: NOW - 1 } })).toBe('expired');
});

test.each<[string, Partial<Candidate>]>([
  ['the payload is not the recorded one', { payloadSha256: 'altered' }],
  ['the token is not the recorded one', { tokenSha256: 'altered' }],
  ['the iat is not the recorded one', { claims: { ...claims, iat: claims.iat + 1 } }],
  ['the exp is not the recorded one', { claims: { ...claims, exp: claims.exp + 1 } }],
])('%s: poison', (_what, more) => {
  expect(excludedBody({ ...candidate, ...more }, PEPPER, new Map())).toBe('poison');
});

test('whoever is named in the token can end it: subject, every actor, client', () => {
  const subjects = [
    { type: 'sub', value: 'member-1' },
    { type: 'act', value: 'agent' },
    { type: 'act', value: 'agent-2' },
    { type: 'client', value: 'web' },
  ] as const;
  for (const subject of subjects) {
    const cut = (more: Partial<CutOff>) =>
      new Map([[blind(PEPPER, subject), { blinded: '', notBefore: row.iat, blocked: false, ...more }]]);
    expect(excludedBody(candidate, PEPPER, cut({}))).toBe('cut-off');
    expect(excludedBody(candidate, PEPPER, cut({ notBefore: row.iat - 1 }))).toBeUndefined();
    expect(excludedBody(candidate, PEPPER, cut({ notBefore: 0, blocked: true }))).toBe('cut-off');
    expect(excludedBody(candidate, 'other pepper', cut({}))).toBeUndefined();
  }
});

test('a name cut off as one thing is not cut off as another', () => {
  const asClient = new Map([
    [blind(PEPPER, { type: 'client', value: 'member-1' }), { blinded: '', notBefore: NOW, blocked: true }],
  ]);
  expect(excludedBody(candidate, PEPPER, asClient)).toBeUndefined();
});
