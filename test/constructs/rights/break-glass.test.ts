import { ofType, type Resources, type Statement, synthesise } from '../synthesised';
import { asList, templatesOf } from '../templates';

const ARNS = ['arn:aws:iam::111122223333:user/break-glass-1', 'arn:aws:iam::111122223333:user/ops/second'];

/** What each function's role may and may not do in IAM. */
function iamStatements(resources: Resources): Record<string, Statement[]> {
  const functions = ofType(resources, 'AWS::Lambda::Function').filter(
    ([, { Properties }]) => Properties.Environment?.Variables?.CURFEW_FUNCTION,
  );
  const found = functions.map(([, { Properties }]) => {
    const role = Properties.Role['Fn::GetAtt'][0];
    const statements = ofType(resources, 'AWS::IAM::Policy')
      .filter(([, policy]) => policy.Properties.Roles.some(({ Ref }: { Ref: string }) => Ref === role))
      .flatMap(([, policy]) => policy.Properties.PolicyDocument.Statement as Statement[]);
    const ofIam = statements.filter(({ Action }) => asList(Action).some((action) => action.startsWith('iam:')));
    return [Properties.Environment.Variables.CURFEW_FUNCTION as string, ofIam] as const;
  });
  return Object.fromEntries(found.filter(([, statements]) => statements.length > 0));
}

const spared = iamStatements(synthesise('trial', { breakGlassArns: ARNS }).offboarding);
const actionsOf = (statements: readonly Statement[], effect: Statement['Effect']) =>
  statements
    .filter(({ Effect }) => Effect === effect)
    .flatMap(({ Action }) => asList(Action))
    .sort();
const READS = /^iam:(Get|List)/;

test('whoever may change something in IAM is denied all of it on the break-glass users', () => {
  const changers = Object.entries(spared).filter(([, all]) => actionsOf(all, 'Allow').some((one) => !READS.test(one)));
  expect(changers.map(([name]) => name).sort()).toEqual(['iam-disabler', 'key-enabler', 'latch', 'latch-release']);
  for (const [, all] of changers) {
    const denied = all.filter(({ Effect }) => Effect === 'Deny');
    expect(actionsOf(all, 'Deny')).toEqual(actionsOf(all, 'Allow'));
    // Exactly these, and whatever else the call carries.
    expect(denied.map(({ Resource, Condition }) => [Resource, Condition])).toEqual([[ARNS, undefined]]);
  }
});

test('nobody to spare: no statement', () => {
  const all = Object.values(iamStatements(templatesOf('trial').offboarding)).flat();
  expect(all.length).toBeGreaterThan(0);
  expect(all.filter(({ Effect }) => Effect === 'Deny')).toEqual([]);
});

test.each([
  'break-glass-1',
  'arn:aws:iam::111122223333:role/admin',
  'arn:aws:iam::111122223333:user/*',
  'arn:aws:iam::111122223333:user/break-glass-?',
  'arn:aws:iam::1111:user/break-glass-1',
  'arn:aws:sts::111122223333:user/break-glass-1',
  '',
])('%j is refused at synth', (arn) => {
  expect(() => synthesise('trial', { breakGlassArns: [ARNS[0], arn] })).toThrow(
    expect.objectContaining({
      code: 'ERR_CONFIG_INVALID',
      message: `breakGlassArns: ${arn} is not the ARN of one IAM user`,
    }),
  );
});
