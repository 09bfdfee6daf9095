/** kms.lockout: what the doctor asks of IAM's simulation, over a stubbed client, and what it makes of the answer. */
import { IAMClient } from '@aws-sdk/client-iam';
import { simulateBirth } from '../../bin/commands/doctor-births';
import { see } from '../../bin/commands/looks';
import { diagnoseBirths } from '../../lib/domain/health/birth-diagnosis';

const ROTATOR = 'arn:aws:iam::000000000000:role/curfew-prod-rotator';
const BYPASS = 'kms:BypassPolicyLockoutSafetyCheck';

interface Result {
  readonly decision?: string;
  readonly organization?: boolean;
  readonly boundary?: boolean;
  readonly missing?: readonly string[];
}

/** IAM speaks AWS's query protocol: a form goes there, XML comes back. */
function iamThat(answer: (context: Readonly<Record<string, string>>) => Result | { readonly refusal: string }) {
  const asked: URLSearchParams[] = [];
  const handle = async ({ body }: { body: Uint8Array | string }) => {
    const form = new URLSearchParams(Buffer.from(body).toString());
    asked.push(form);
    const answered = answer(contextOf(form));
    const isRefusal = 'refusal' in answered;
    return {
      response: {
        statusCode: isRefusal ? 403 : 200,
        headers: { 'content-type': 'text/xml' },
        body: Buffer.from(isRefusal ? refusalXml(answered.refusal) : resultXml(answered)),
      },
    };
  };
  const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'example' };
  const client = new IAMClient({ region: 'us-east-1', credentials, maxAttempts: 1, requestHandler: { handle } });
  return { asked, client };
}

function contextOf(form: URLSearchParams): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, value] of form) {
    const [, n] = /^ContextEntries\.member\.(\d+)\.ContextKeyName$/.exec(name) ?? [];
    if (n) found[value] = form.get(`ContextEntries.member.${n}.ContextKeyValues.member.1`) ?? '';
  }
  return found;
}

const refusalXml = (code: string) =>
  `<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type><Code>${code}</Code><Message>no</Message></Error></ErrorResponse>`;

function resultXml({ decision = 'allowed', organization, boundary, missing = [] }: Result): string {
  const detail = (name: string, member: string, value?: boolean) =>
    value === undefined ? '' : `<${name}><${member}>${value}</${member}></${name}>`;
  return `<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><SimulatePrincipalPolicyResult>
    <IsTruncated>false</IsTruncated><EvaluationResults><member><EvalActionName>kms:CreateKey</EvalActionName>
    <EvalResourceName>*</EvalResourceName><EvalDecision>${decision}</EvalDecision>
    <MissingContextValues>${missing.map((key) => `<member>${key}</member>`).join('')}</MissingContextValues>
    ${detail('OrganizationsDecisionDetail', 'AllowedByOrganizations', organization)}
    ${detail('PermissionsBoundaryDecisionDetail', 'AllowedByPermissionsBoundary', boundary)}
    </member></EvaluationResults></SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>`;
}

/** The row, for what IAM answers. */
async function rowFor(answer: Parameters<typeof iamThat>[0]) {
  const { asked, client } = iamThat(answer);
  const birth = { rotatorArn: ROTATOR, keySpec: 'ECC_NIST_P256', region: 'eu-central-1' };
  const verdict = await see(() => simulateBirth(client, birth));
  return { asked, row: diagnoseBirths({ births: { ECC_NIST_P256: verdict }, rotatorArn: { seen: ROTATOR } })[0] };
}

test('kms.lockout: the simulation is of the rotator that creates a key as it does; where it may, that is ok', async () => {
  const { asked, row } = await rowFor(() => ({ organization: true }));
  expect(row).toEqual({
    of: 'instance',
    check: 'birth of keys',
    state: 'ok',
    found: 'the rotator may create ECC_NIST_P256 keys and skip the lock-out check',
  });
  expect(
    asked.map((form) => [form.get('Action'), form.get('PolicySourceArn'), form.get('ActionNames.member.1')]),
  ).toEqual([['SimulatePrincipalPolicy', ROTATOR, 'kms:CreateKey']]);
  expect(asked.map(contextOf)).toEqual([
    {
      [BYPASS]: 'true',
      'kms:KeyUsage': 'SIGN_VERIFY',
      'kms:KeyOrigin': 'AWS_KMS',
      'kms:KeySpec': 'ECC_NIST_P256',
      'kms:MultiRegion': 'false',
      'aws:RequestedRegion': 'eu-central-1',
      'aws:PrincipalArn': ROTATOR,
    },
  ]);
});

test('kms.lockout: a control policy that denies the bypass is a problem, with the exemption to ask for', async () => {
  const { row } = await rowFor(({ [BYPASS]: skips }) =>
    skips === 'true' ? { decision: 'explicitDeny', organization: false } : { organization: true },
  );
  expect(row).toMatchObject({
    state: 'problem',
    found:
      'a control policy of your organisation denies the rotator kms:CreateKey with BypassPolicyLockoutSafetyCheck: no key is born',
    fix: `ask for an exemption of ${ROTATOR} from it (in Control Tower it is CT.KMS.PV.3)`,
  });
});

test('one that denies CreateKey whatever it skips is told apart', async () => {
  const { row } = await rowFor(() => ({ decision: 'explicitDeny', organization: false }));
  expect(row).toMatchObject({
    state: 'problem',
    found: expect.stringContaining('denies the rotator kms:CreateKey: no key'),
  });
  expect(row?.fix).not.toContain('CT.KMS.PV.3');
});

test.each([
  [
    'a boundary',
    { decision: 'implicitDeny', organization: true, boundary: false },
    'problem',
    'a permissions boundary denies',
  ],
  [
    'its own policy',
    { decision: 'implicitDeny', organization: true },
    'problem',
    'the policy of the rotator does not allow',
  ],
  ['nobody knows', { decision: 'implicitDeny', missing: ['aws:SourceVpc'] }, 'unknown', 'did not know aws:SourceVpc'],
])('what else says no: %s', async (_what, answer, state, found) => {
  expect((await rowFor(() => answer)).row).toMatchObject({ state, found: expect.stringContaining(found) });
});

test('a caller who may not ask does not know', async () => {
  const { row } = await rowFor(() => ({ refusal: 'AccessDenied' }));
  expect(row).toMatchObject({ state: 'unknown', found: 'IAM did not simulate CreateKey: AccessDenied' });
});
