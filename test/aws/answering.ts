/** An SDK client's wire, answered by the test: what AWS says in rare moments, as the SDK really parses it. */
export interface Asked {
  readonly operation: string;
  readonly input: Record<string, unknown>;
}

type Answer = { readonly status?: number; readonly body: unknown };

/** Client configuration for AWS's JSON protocols. Refusals are `{ status: 400, body: { __type: 'SomeException' } }`. */
export function answering(answer: (asked: Asked) => Answer) {
  const asked: Asked[] = [];
  const handle = async (request: { headers: Record<string, string>; body: Uint8Array }) => {
    const operation = (request.headers['x-amz-target'] ?? '').split('.').pop() ?? '';
    const one = { operation, input: JSON.parse(new TextDecoder().decode(request.body)) };
    asked.push(one);
    const { status = 200, body } = answer(one);
    const headers = { 'content-type': 'application/x-amz-json-1.1' };
    return { response: { statusCode: status, headers, body: Buffer.from(JSON.stringify(body)) } };
  };
  const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'example' };
  const config = { region: 'us-east-1', credentials, maxAttempts: 1, requestHandler: { handle } };
  return { asked, config };
}
