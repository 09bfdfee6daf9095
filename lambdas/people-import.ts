/**
 * POST /people: who has which principals and what they had custody of. Writes People and can do nothing else. Who signed the
 * request is kept with it: they may not decide about these workers for a month.
 */

import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import * as z from 'zod';
import { entry } from '../lib/aws/entry';
import { CurfewError } from '../lib/domain/base/errors';
import { PRINCIPALS_MAX } from '../lib/domain/cases/containment';
import { IMPORT_SHAPE } from '../lib/domain/cases/people';
import { EXPOSURE_CLASSES, EXPOSURES_MAX } from '../lib/domain/cases/plan';
import { parseWorkerId } from '../lib/domain/intake/worker-id';
import { RING_ID_PATTERN } from '../lib/domain/rings/configuration';
import { put } from '../lib/domain/store/entity';
import { EXPOSURE, IMPORT, PENDING_IMPORT, PRINCIPAL } from '../lib/domain/store/people';
import { TRANSACTION_WRITES_MAX } from '../lib/domain/store/table';
import type { Deps } from '../lib/ports';
import { answer, bodyOf, refusal } from '../lib/work/http-answers';

/** Beyond the longest that IAM and KMS give. */
const Arn = (pattern: RegExp) => z.string().max(700).regex(pattern);
const Ring = z.string().regex(RING_ID_PATTERN);

const Principal = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('iam-user'), arn: Arn(/^arn:aws[a-z-]*:iam::\d{12}:user\/[\w+=,.@/-]+$/) }),
  z.strictObject({ type: z.literal('kms-key'), arn: Arn(/^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/) }),
  z.strictObject({ type: z.literal('subject'), ring: Ring, sub: z.string().min(1).max(255) }),
]);

const Exposure = z.strictObject({
  /** `ring:customer-api`: whichever key is ACTIVE. `kid:customer-api/{kid}`: this one key. */
  asset: z.string().regex(/^(ring:[a-z][a-z0-9-]{1,38}[a-z0-9]|kid:[a-z][a-z0-9-]{1,38}[a-z0-9]\/[\w-]{1,64})$/),
  class: z.enum(EXPOSURE_CLASSES),
  /** What is sealed in one record with 50 of these must fit into it: no control characters, which JSON spells longer. */
  how: z
    .string()
    .min(1)
    .max(120)
    .regex(/^\P{C}+$/u),
  since: z.int().nonnegative(),
});

const Import = z.strictObject({
  workers: z
    .array(
      z.strictObject({
        workerId: z.string(),
        principals: z.array(Principal).max(PRINCIPALS_MAX),
        exposures: z.array(Exposure).max(EXPOSURES_MAX),
      }),
    )
    .min(1)
    .max(100),
});

export async function importPeople(
  request: unknown,
  { tables, clock }: Deps<'people-import'>,
  /** As API Gateway names who signed. */
  by: string,
): Promise<{ readonly imported: number }> {
  const parsed = Import.safeParse(request);
  if (!parsed.success) throw refuse(parsed.error);

  const whole: ReturnType<typeof markWhole>[number][] = [];
  const writes = parsed.data.workers.flatMap(({ workerId: given, principals, exposures }) => {
    const workerId = parseWorkerId(given, 'workerId');
    const at = clock.now();
    whole.push(...markWhole(workerId, at, by));
    const puts = [
      put(IMPORT, [workerId, at, by], { at, by }),
      ...principals.map((one) => put(PRINCIPAL, [workerId, one], one)),
      ...exposures.map((one) => put(EXPOSURE, [workerId, one], one)),
    ];
    // By key: what is named twice is one row, and a transaction refuses two writes on it.
    return [...new Map(puts.map((write) => [`${write.row.pk} ${write.row.sk}`, write])).values()];
  });
  // Each row stands alone and is put whole: stopped half way, the next import puts the same ones again.
  for (let n = 0; n < writes.length; n += TRANSACTION_WRITES_MAX)
    await tables.transact(writes.slice(n, n + TRANSACTION_WRITES_MAX));
  // Last: a departure that waits for this import must not go on with half of it. If we stop before, it waits on.
  for (let n = 0; n < whole.length; n += TRANSACTION_WRITES_MAX)
    await tables.transact(whole.slice(n, n + TRANSACTION_WRITES_MAX));
  return { imported: writes.length - parsed.data.workers.length };
}

/** And have it looked at: the departure of the worker may be closed, and an exposure be one that nobody knew of by then. */
function markWhole(workerId: string, at: number, by: string) {
  return [
    put(IMPORT, [workerId, at, by], { at, by, isWhole: true }),
    put(PENDING_IMPORT, [at, workerId], { at, workerId }),
  ];
}

/** Names the place and the rule, never the value: it may be a person's. */
function refuse(error: z.ZodError): CurfewError {
  const [issue] = error.issues;
  const place = issue?.path.join('.') || 'the import';
  return new CurfewError('ERR_INPUT_INVALID', `${place}: ${issue?.code ?? 'not accepted'}`, {
    got: { issues: error.issues.length },
    fix: IMPORT_SHAPE,
  });
}

type SignedImport = Pick<APIGatewayProxyEventV2, 'body' | 'isBase64Encoded'> & {
  readonly requestContext: { readonly authorizer?: { readonly iam?: { readonly userId?: string } } };
};

async function overHttp(
  request: SignedImport,
  deps: Deps<'people-import'>,
): Promise<APIGatewayProxyStructuredResultV2> {
  try {
    const by = request.requestContext.authorizer?.iam?.userId;
    if (by === undefined)
      throw new CurfewError('ERR_INPUT_INVALID', 'the request carries no IAM signature', {
        fix: 'use `curfew people import`, which signs as the caller',
      });
    const people: unknown = JSON.parse(bodyOf(request));
    return answer(200, await importPeople(people, deps, by));
  } catch (error) {
    return refusal(error);
  }
}

export const handler = entry('people-import', overHttp);
