import { parsePublicConcurrency } from '../../../lib/constructs/functions/public-concurrency';
import { ofType, type Resources, synthesise, templatesOf } from '../synthesised';

const FUNCTIONS = { 'well-known': 100, exchange: 50, 'was-issued': 20, intake: 10 };
const CAPS = { account: 1000, ...FUNCTIONS };

/** What each function reserves. */
function reserved({ signing, offboarding, evidence }: Record<'signing' | 'offboarding' | 'evidence', Resources>) {
  const functions = [signing, offboarding, evidence].flatMap((resources) => ofType(resources, 'AWS::Lambda::Function'));
  return Object.fromEntries(
    functions.flatMap(([, { Properties }]) =>
      Properties.ReservedConcurrentExecutions === undefined
        ? []
        : [[Properties.Environment.Variables.CURFEW_FUNCTION, Properties.ReservedConcurrentExecutions]],
    ),
  );
}

test('lambda.throttled: strangers on public routes have their own runs and no more, the issuer all that is left', () => {
  expect(reserved(synthesise('trial', { publicConcurrency: CAPS }))).toEqual(FUNCTIONS);
});

test('every function on a route without an authoriser can be capped, and no other', () => {
  const { signing, offboarding } = templatesOf('trial');
  const open = [signing, offboarding].flatMap((resources) =>
    ofType(resources, 'AWS::ApiGatewayV2::Route')
      .filter(([, { Properties }]) => Properties.AuthorizationType === 'NONE')
      .map(([, { Properties }]) => {
        const integration = resources[Properties.Target['Fn::Join'][1][1].Ref];
        const id = integration?.Properties.IntegrationUri['Fn::GetAtt'][0];
        return resources[id]?.Properties.Environment.Variables.CURFEW_FUNCTION;
      }),
  );
  expect([...new Set(open)].sort()).toEqual(Object.keys(FUNCTIONS).sort());
});

test('without it nothing is reserved: a new account has too few runs', () => {
  expect(reserved(templatesOf('trial'))).toEqual({});
});

test.each([
  // [change, what is wrong with it]
  [{ exchange: 371 }, 'would hold 501 of the 1000 runs'],
  [{ account: 279 }, 'would hold 180 of the 279 runs'],
  [{ account: 10 }, 'would hold 180 of the 10 runs'],
  [{ intake: 0 }, 'intake is not a whole number of runs'],
  [{ 'was-issued': 1.5 }, 'was-issued is not a whole number of runs'],
])('%j is refused at synth', (change, says) => {
  const publicConcurrency = { ...CAPS, ...change };
  expect(() => synthesise('trial', { publicConcurrency })).toThrow(
    expect.objectContaining({ code: 'ERR_CONFIG_INVALID', message: expect.stringContaining(says) }),
  );
});

test.each([{ exchange: 370 }, { account: 360 }])('%j is just accepted', (change) => {
  expect(parsePublicConcurrency({ ...CAPS, ...change })).toEqual({ ...CAPS, ...change });
});
