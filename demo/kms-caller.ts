/** Runs inside a Lambda of the harness: makes each KMS call it is given, under whatever role the Lambda has. */
import { DescribeKeyCommand, DisableKeyCommand, KMSClient, SignCommand } from '@aws-sdk/client-kms';
import type { KmsCall } from './as-role';

const kms = new KMSClient({});
/** 32 bytes that are the digest of nothing. */
const DIGEST = Buffer.alloc(32, 7);

export async function handler(calls: readonly KmsCall[]): Promise<string[]> {
  const answers: string[] = [];
  for (const { op, kmsKeyArn } of calls) answers.push(await answerOf(op, kmsKeyArn));
  return answers;
}

async function answerOf(op: KmsCall['op'], KeyId: string): Promise<string> {
  try {
    if (op === 'sign')
      await kms.send(
        new SignCommand({ KeyId, Message: DIGEST, MessageType: 'DIGEST', SigningAlgorithm: 'ECDSA_SHA_256' }),
      );
    else if (op === 'disable') await kms.send(new DisableKeyCommand({ KeyId }));
    else await kms.send(new DescribeKeyCommand({ KeyId }));
    return 'ok';
  } catch (error) {
    return (error as Error).name;
  }
}
