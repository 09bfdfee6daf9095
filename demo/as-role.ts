/**
 * Asks KMS with a product role's own right: a Lambda made here and now under that role, with one call in it.
 * It changes no trust policy, and root, which may do anything, never asks.
 */

import { join } from 'node:path';
import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  InvokeCommand,
  LambdaClient,
  waitUntilFunctionActiveV2,
} from '@aws-sdk/client-lambda';
import { buildSync } from 'esbuild';
import { zipOf } from '../emulator/zip';
import type { Observation } from './checks';

const lambda = new LambdaClient({});

export type KmsCall = { readonly op: 'sign' | 'disable' | 'describe'; readonly kmsKeyArn: string };

export async function asRole(
  roleArn: string,
  name: string,
  calls: readonly KmsCall[],
): Promise<readonly Observation[]> {
  const FunctionName = `demo-as-${name}`;
  await lambda.send(
    new CreateFunctionCommand({
      FunctionName,
      Role: roleArn,
      Runtime: 'nodejs24.x',
      Handler: 'index.handler',
      Timeout: 20,
      Code: { ZipFile: zipOf('index.js', callerBundle()) },
    }),
  );
  try {
    await waitUntilFunctionActiveV2({ client: lambda, maxWaitTime: 30 }, { FunctionName });
    const { Payload, FunctionError } = await lambda.send(
      new InvokeCommand({ FunctionName, Payload: JSON.stringify(calls) }),
    );
    if (FunctionError) throw new Error(`the Lambda under ${name} failed: ${Buffer.from(Payload ?? []).toString()}`);
    const answers = JSON.parse(Buffer.from(Payload ?? []).toString()) as string[];
    return answers.map((answer) => ({ answer, by: `KMS, asked as ${name}` }));
  } finally {
    await lambda.send(new DeleteFunctionCommand({ FunctionName }));
  }
}

function callerBundle(): Buffer {
  const { outputFiles } = buildSync({
    entryPoints: [join(__dirname, 'kms-caller.ts')],
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node20',
    mainFields: ['module', 'main'],
    minify: true,
  });
  return Buffer.from(outputFiles[0]?.contents ?? []);
}
