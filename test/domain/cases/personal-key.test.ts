/** Which policies of personal keys let us enable the key again: those that say so without a doubt. */
import { namesEnabler } from '../../../lib/domain/cases/personal-key';

const KEY = 'arn:aws:kms:eu-west-1:123456789012:key/1';
const ROLE = 'arn:aws:iam::123456789012:role/curfew-shop-key-enabler';
const allow = {
  Effect: 'Allow',
  Principal: { AWS: ROLE },
  Action: ['kms:EnableKey', 'kms:GetKeyPolicy'],
  Resource: '*',
};
const deny = { Effect: 'Deny', Principal: '*', Action: 'kms:EnableKey', Resource: '*' };
const names = (...Statement: readonly object[]) => namesEnabler(JSON.stringify({ Statement }), KEY, 'shop');

test.each<[string, readonly object[]]>([
  ['the role, in a list', [{ ...allow, Principal: { AWS: ['arn:aws:iam::123456789012:user/kim', ROLE] } }]],
  ['the role, by a pattern of the action', [{ ...allow, Action: 'kms:enable*' }]],
  ['every action of KMS', [{ ...allow, Action: 'kms:*' }]],
  ['the key itself as the resource', [{ ...allow, Resource: [KEY] }]],
  ['the role beside a Deny of something else', [allow, { ...deny, Action: 'kms:ScheduleKeyDeletion' }]],
  ['the role beside a Deny for somebody else', [allow, { ...deny, Principal: { AWS: `${ROLE}-2` } }]],
])('a policy with %s does', (_what, statements) => expect(names(...statements)).toBe(true));

test.each<[string, readonly object[]]>([
  ['nothing', []],
  ['a role of another instance', [{ ...allow, Principal: { AWS: ROLE.replace('shop', 'toy') } }]],
  ['a role of another account', [{ ...allow, Principal: { AWS: ROLE.replace('123456789012', '210987654321') } }]],
  ['a role whose name goes on', [{ ...allow, Principal: { AWS: `${ROLE}-2` } }]],
  ['the disabler', [{ ...allow, Principal: { AWS: ROLE.replace('enabler', 'disabler') } }]],
  ['the account', [{ ...allow, Principal: { AWS: 'arn:aws:iam::123456789012:root' } }]],
  ['another action', [{ ...allow, Action: 'kms:DisableKey' }]],
  ['all actions but some', [{ Effect: 'Allow', Principal: { AWS: ROLE }, NotAction: 'kms:Sign', Resource: '*' }]],
  ['a condition', [{ ...allow, Condition: { Bool: { 'aws:MultiFactorAuthPresent': 'true' } } }]],
  ['another resource', [{ ...allow, Resource: `${KEY}2` }]],
  ['a Deny for everybody', [allow, deny]],
  ['a Deny for the account', [allow, { ...deny, Principal: { AWS: '123456789012' } }]],
  ['a Deny with a condition', [allow, { ...deny, Condition: { Bool: { 'aws:SecureTransport': 'false' } } }]],
  ['a Deny for all but one', [allow, { ...deny, Principal: undefined, NotPrincipal: { AWS: ROLE } }]],
  ['a Deny of all actions but one', [allow, { ...deny, Action: undefined, NotAction: 'kms:Sign' }]],
  ['a Deny by a pattern', [allow, { ...deny, Action: 'kms:?nableKey' }]],
  ['an effect that is none', [allow, { ...deny, Effect: 'deny' }]],
])('a policy with %s does not', (_what, statements) => expect(names(...statements)).toBe(false));

test.each(['', 'no JSON', 'null', '[]', '{}', '{"Statement":null}', '{"Statement":[null,1,"x"]}'])(
  '%p does not',
  (text) => expect(namesEnabler(text, KEY, 'shop')).toBe(false),
);

test('the leaver may have written the policy: no pattern takes long to compare', () => {
  const began = process.cpuUsage();
  for (const Action of [
    `kms:${'*'.repeat(3000)}x`,
    `${'*a'.repeat(1500)}*`,
    `${'*?'.repeat(1500)}x`,
    `kms:${'*e'.repeat(9)}x`,
  ])
    expect(names({ ...allow, Action })).toBe(false);
  const { user } = process.cpuUsage(began);
  expect(user).toBeLessThan(2_000_000);
});
