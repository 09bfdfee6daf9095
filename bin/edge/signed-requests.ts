/** POST to a route of the instance that asks who signed: as the caller of the CLI, with SigV4 (AWS Signature Version 4). */
import { Sha256 } from '@aws-crypto/sha256-js';
import { CloudFormationClient, type CloudFormationClientConfig } from '@aws-sdk/client-cloudformation';
import { SignatureV4 } from '@smithy/signature-v4';
import { isMembers, type Members } from '../../lib/domain/base/encoding';
import { CurfewError, type ErrorCode } from '../../lib/domain/base/errors';

export interface SignedRequests {
  /** The answer of a 2xx, parsed; the code and the message of anything else are thrown. */
  post(path: string, body: object): Promise<Members>;
}

/** `baseUrl` is asked when a request is made: most commands make none. */
export function signedRequests(
  baseUrl: () => string,
  caller: Pick<CloudFormationClientConfig, 'credentials'>,
): SignedRequests {
  // A client resolves region and credentials as every other call of this process does.
  const { config } = new CloudFormationClient(caller);
  return {
    post: async (path, given) => {
      const url = new URL(`${baseUrl()}${path}`);
      const body = JSON.stringify(given);
      const signer = new SignatureV4({
        service: 'execute-api',
        region: config.region,
        credentials: config.credentials,
        sha256: Sha256,
      });
      const { headers } = await signer.sign({
        method: 'POST',
        protocol: url.protocol,
        hostname: url.hostname,
        ...(url.port !== '' && { port: Number(url.port) }),
        path: url.pathname,
        query: {},
        headers: { host: url.host, 'content-type': 'application/json' },
        body,
      });
      return answerOf(path, await fetch(url, { method: 'POST', headers, body }));
    },
  };
}

/** Whose policy has the route. */
const WHO_MAY: Readonly<Record<string, string>> = { '/people': 'the operator', '/approvals': 'the approver' };

async function answerOf(path: string, response: Response): Promise<Members> {
  const text = await response.text();
  const answer = parsed(text);
  if (response.ok && answer !== undefined) return answer;
  const { code, message, fix } = answer ?? {};
  if (response.status === 403 && code === undefined)
    throw new CurfewError('ERR_ACCESS_DENIED', `POST ${path} was refused: AccessDenied`, {
      fix: `only whoever has the policy of ${WHO_MAY[path] ?? 'another role'} may do this: docs/cli.md, "Roles"`,
    });
  throw new CurfewError(
    isCode(code) ? code : 'ERR_UNAVAILABLE',
    String(message ?? `${path} answered ${response.status}`),
    {
      got: response.status,
      ...(typeof fix === 'string' && { fix }),
    },
  );
}

function parsed(text: string): Members | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isMembers(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Of our own Lambda: it answers codes of the one list. */
function isCode(given: unknown): given is ErrorCode {
  return typeof given === 'string' && /^ERR_[A-Z_]+$/.test(given);
}
