/** Signed calls, as the account's administrator, of the AWS APIs that no SDK client in this package speaks. */
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import { LOCAL_REGION } from '../../../emulator/emulator';

interface Call {
  readonly service: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
}

export async function call<Answer>({ service, method, path, headers = {}, body }: Call): Promise<Answer> {
  const url = new URL(path, process.env.AWS_ENDPOINT_URL);
  const credentials = {
    accessKeyId: process.env.AWS_ACCESS_KEY_ID ?? '',
    secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY ?? '',
  };
  const signer = new SignatureV4({ service, region: LOCAL_REGION, credentials, sha256: Sha256 });
  const text = body && JSON.stringify(body);
  const signed = await signer.sign({
    method,
    protocol: url.protocol,
    hostname: url.hostname,
    port: Number(url.port),
    path: url.pathname,
    query: {},
    headers: { host: url.host, ...headers },
    body: text,
  });
  const response = await fetch(url, { method, headers: signed.headers, body: text });
  const answer = await response.text();
  if (!response.ok) throw new Error(`${service} answered ${response.status} to ${method} ${path}: ${answer}`);
  return JSON.parse(answer) as Answer;
}

/** AWS JSON 1.1: one path, the operation in a header. */
export function callJson<Answer>(service: string, target: string, body: object): Promise<Answer> {
  const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target };
  return call({ service, method: 'POST', path: '/', headers, body });
}
