/** What strangers and HR systems may send to the webhook, in any order: refused with a code, or one case. */
import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { fold } from '../../lambdas/case-folder';
import { receiveWebhook, type WebhookRequest } from '../../lambdas/intake';
import { tick } from '../../lambdas/ticker';
import { type CaseMeta, caseIdOf } from '../../lib/domain/cases/case';
import { transition } from '../../lib/domain/cases/transitions';
import { World } from '../../lib/local/world';
import { BAMBOO_SECRET, delivery, foldInbox, metas, outbox, type Said, SECRET, send, WORKER } from './departure-world';

const NOW = 1_800_000_000;
const SOURCES = {
  hr: { scheme: 'standard-webhooks', corroboration: 'signed-fact', secretArn: 'arn:hr' },
  bamboo: { scheme: 'bamboohr', corroboration: 'confirmed', zone: 'UTC', secretArn: 'arn:bamboo' },
} as const;

/** The dates on which departures begin. */
const due = (world: World): number[] =>
  world.tables.dump('cases').flatMap(({ pk, sk }) => (pk === 'DUE-WORKER' ? [Number(sk.split('#')[0])] : []));

function hrWorld(): World {
  const world = new World({ now: NOW, sources: SOURCES });
  world.secrets.rotate('hr', SECRET);
  world.secrets.rotate('bamboo', BAMBOO_SECRET);
  world.functions.register('case-folder', (request) => fold(request, world.deps('case-folder')));
  return world;
}

async function post(
  world: World,
  request: WebhookRequest,
): Promise<{ status?: number; code?: string; message?: string }> {
  const { statusCode, body = '{}' } = await receiveWebhook(request, world.deps('intake'));
  const { code, message } = JSON.parse(body) as { code?: string; message?: string };
  return { status: statusCode, code, message };
}

/** The same headers over other bytes, signed well: what is refused is the body and not the signature. */
function signed(world: World, body: Buffer, more: Record<string, string> = {}): WebhookRequest {
  const at = world.clock.now();
  const mac = createHmac('sha256', Buffer.alloc(32, 7)).update(`msg_1.${at}.`).update(body).digest('base64');
  const headers = { 'webhook-id': 'msg_1', 'webhook-timestamp': String(at), 'webhook-signature': `v1,${mac}`, ...more };
  return { pathParameters: { source: 'hr' }, headers, body: body.toString('base64'), isBase64Encoded: true };
}

test.each<[string, (world: World) => WebhookRequest, number, string]>([
  [
    'of an unknown source',
    (world) => ({ ...delivery(world), pathParameters: { source: 'nobody' } }),
    404,
    'ERR_WEBHOOK_SOURCE',
  ],
  [
    'of a source named like an object member',
    (world) => ({ ...delivery(world), pathParameters: { source: 'constructor' } }),
    404,
    'ERR_WEBHOOK_SOURCE',
  ],
  ['of no source', (world) => ({ ...delivery(world), pathParameters: undefined }), 404, 'ERR_WEBHOOK_SOURCE'],
  [
    'that is forged',
    (world) => ({ ...delivery(world), body: delivery(world).body.replace(WORKER, 'W-1') }),
    401,
    'ERR_WEBHOOK_SIGNATURE',
  ],
  ['that is not base64', (world) => ({ ...signed(world, Buffer.from('{}')), body: 'e30*' }), 400, 'ERR_WEBHOOK_BODY'],
  ['that is not JSON', (world) => signed(world, Buffer.from('{"type":')), 400, 'ERR_WEBHOOK_BODY'],
  ['in Latin-1', (world) => signed(world, Buffer.from('{"type":"é"}', 'latin1')), 400, 'ERR_WEBHOOK_BODY'],
  ['in UTF-16', (world) => signed(world, Buffer.from('{}', 'utf16le')), 400, 'ERR_WEBHOOK_BODY'],
  [
    'that says it is Latin-1',
    (world) => signed(world, Buffer.from('{}'), { 'content-type': 'application/json; charset=iso-8859-1' }),
    400,
    'ERR_WEBHOOK_HEADER',
  ],
  [
    'that says it is a form',
    (world) => signed(world, Buffer.from('{}'), { 'content-type': 'application/x-www-form-urlencoded' }),
    400,
    'ERR_WEBHOOK_HEADER',
  ],
  ['of a megabyte', (world) => signed(world, Buffer.alloc(1024 * 1024, ' ')), 413, 'ERR_WEBHOOK_BODY'],
  [
    'of a megabyte that nobody signed',
    (world) => ({ ...delivery(world), body: ' '.repeat(1024 * 1024) }),
    413,
    'ERR_WEBHOOK_BODY',
  ],
  ['that is empty', (world) => signed(world, Buffer.alloc(0)), 400, 'ERR_WEBHOOK_BODY'],
  ['without a body', (world) => ({ ...delivery(world), body: undefined }), 400, 'ERR_WEBHOOK_BODY'],
  ['that is an array', (world) => signed(world, Buffer.from('[]')), 400, 'ERR_WEBHOOK_BODY'],
  ['that names a member twice', (world) => signed(world, Buffer.from('{"type":1,"type":2}')), 400, 'ERR_WEBHOOK_BODY'],
  [
    'that is no leaver event',
    (world) => signed(world, Buffer.from('{"type":"worker.hired"}')),
    422,
    'ERR_WEBHOOK_STATEMENT',
  ],
  ['without headers', (world) => ({ ...delivery(world), headers: {} }), 400, 'ERR_WEBHOOK_HEADER'],
])('a delivery %s is refused with a code, and nothing changes', async (_what, make, status, code) => {
  const world = hrWorld();
  expect(await post(world, make(world))).toMatchObject({ status, code, message: expect.any(String) });
  expect(world.tables.dump('inbox')).toEqual([]);
});

test.each([
  [270, 202, undefined],
  [271, 401, 'ERR_WEBHOOK_TOO_OLD'],
])('a delivery replayed after %i seconds is answered %i', async (seconds, status, code) => {
  const world = hrWorld();
  const request = delivery(world);
  world.clock.advance(seconds);
  expect(await post(world, request)).toMatchObject({ status, ...(code && { code }) });
});

test('a duplicate is answered 200 and changes nothing; a replay inside the window is one', async () => {
  const world = hrWorld();
  expect(await send(world)).toBe(202);
  const [inbox, cases] = [world.tables.dump('inbox'), world.tables.dump('cases')];

  world.clock.advance(100);
  const again = delivery(world, { effectiveAt: NOW, saidAt: NOW });
  expect(await post(world, again)).toMatchObject({ status: 200 });
  await foldInbox(world);
  expect([world.tables.dump('inbox'), world.tables.dump('cases')]).toEqual([inbox, cases]);
  expect(world.workflow.started.size).toBe(1);
});

test('headers count whatever their case, and a body that came as base64 is verified over its bytes', async () => {
  const world = hrWorld();
  const { headers, body, ...rest } = delivery(world);
  const upper = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value]));
  const request = { ...rest, headers: upper, body: Buffer.from(body).toString('base64'), isBase64Encoded: true };
  expect(await post(world, request)).toMatchObject({ status: 202 });
});

test('during a rotation of the secret both values count, and the one before those does not', async () => {
  const world = hrWorld();
  const request = delivery(world);
  world.secrets.rotate('hr', `whsec_${Buffer.alloc(32, 8).toString('base64')}`);
  expect((await post(world, request)).status).toBe(202);
  world.secrets.rotate('hr', `whsec_${Buffer.alloc(32, 9).toString('base64')}`);
  expect((await post(world, request)).code).toBe('ERR_WEBHOOK_SIGNATURE');
});

test('an unreadable secret is a fault of ours and no refusal: the sender tries again', async () => {
  const world = hrWorld();
  world.secrets.rotate('hr', 'not a secret');
  await expect(receiveWebhook(delivery(world), world.deps('intake'))).rejects.toMatchObject({
    code: 'ERR_CONFIG_INVALID',
  });
});

test('what the inbox and the outbox hold names the worker nowhere but in the case and the inbox', async () => {
  const world = hrWorld();
  await send(world);
  const [opened] = outbox(world);
  expect(opened).toMatchObject({
    type: 'case.opened',
    body: { source: 'hr', corroboration: 'signed-fact', act: 'end' },
  });
  expect(JSON.stringify(opened)).not.toContain(WORKER);
  const { pseudonym, sealed } = (opened?.body ?? {}) as { pseudonym: string; sealed: string };
  expect(JSON.parse(await world.sealer.open(pseudonym, `${opened?.case}/opened#sealed`, sealed))).toMatchObject([
    { workerId: WORKER },
  ]);
});

describe('cases', () => {
  test('a statement that is effective starts one execution; one of the future waits for its minute', async () => {
    const world = hrWorld();
    await send(world, { effectiveAt: NOW + 3600 });
    expect([metas(world), due(world)]).toEqual([[], [NOW + 3600]]);
    await tick(world.deps('ticker'));
    expect(world.workflow.started.size).toBe(0);

    world.clock.advance(3600);
    await tick(world.deps('ticker'));
    const caseId = metas(world)[0]?.caseId ?? '';
    expect([...world.workflow.started]).toEqual([[`${caseId}.1`, { caseId, attempt: 1 }]]);
    expect(metas(world)).toMatchObject([{ state: 'CONTAINING', attempt: 1 }]);

    world.clock.advance(60);
    expect(await tick(world.deps('ticker'))).toEqual({ started: 0, begun: 0, folded: 0 });
  });

  test('what the stream missed is folded by the ticker, after a minute', async () => {
    const world = hrWorld();
    await receiveWebhook(delivery(world), world.deps('intake'));
    world.clock.advance(60);
    expect(await tick(world.deps('ticker'))).toEqual({ started: 0, begun: 0, folded: 0 });
    world.clock.advance(1);
    expect(await tick(world.deps('ticker'))).toEqual({ started: 0, begun: 0, folded: 1 });
    expect(world.workflow.started.size).toBe(1);
    expect(await tick(world.deps('ticker'))).toEqual({ started: 0, begun: 0, folded: 0 });
  });

  test.each(['before', 'after'] as const)(
    'killed %s any effect on the way, the ticker makes up for it: one case, one execution',
    async (mode) => {
      for (let n = 1; ; n++) {
        const world = hrWorld();
        world.faults.crashAt(n, mode);
        const [answer] = await Promise.allSettled([send(world)]);
        const died = world.faults.crashed;
        world.faults.restart();
        if (!died) break;
        // The sender repeats what was not answered; the stream is taken as lost.
        if (answer.status === 'rejected')
          await receiveWebhook(delivery(world, { effectiveAt: NOW, saidAt: NOW }), world.deps('intake'));
        world.clock.advance(61);
        await tick(world.deps('ticker'));
        expect(metas(world)).toMatchObject([{ state: 'CONTAINING', attempt: 1, fence: 2 }]);
        expect(outbox(world).filter(({ case: of }) => of !== undefined)).toHaveLength(1);
        expect(world.workflow.started.size).toBe(1);
        expect(await tick(world.deps('ticker'))).toEqual({ started: 0, begun: 0, folded: 0 });
      }
    },
  );

  test('a transfer that has begun and turns into a termination is followed by another case', async () => {
    const world = hrWorld();
    await send(world, { type: 'worker.transferred', id: 'a' });
    await send(world, { type: 'worker.terminated', effectiveAt: NOW - 1, id: 'b' });
    expect(
      metas(world)
        .map(({ act, number, state }) => [act, number, state])
        .sort(),
    ).toEqual([
      ['custody', 1, 'CONTAINING'],
      ['end', 2, 'CONTAINING'],
    ]);
  });

  test('a transfer does not swallow a termination of the same instant; each repeated changes nothing', async () => {
    const world = hrWorld();
    const statements = ['worker.transferred', 'worker.contract_ended', 'worker.terminated'];
    for (const [n, type] of statements.entries()) await send(world, { type, effectiveAt: NOW, id: `first-${n}` });
    const all = metas(world);
    expect(all.map(({ act, state }) => [act, state]).sort()).toEqual([
      ['custody', 'CONTAINING'],
      ['end', 'CONTAINING'],
    ]);
    expect(world.workflow.started.size).toBe(2);

    for (const [n, type] of statements.entries()) await send(world, { type, effectiveAt: NOW, id: `again-${n}` });
    expect(metas(world)).toEqual(all);
  });

  test('a termination of the instant of a closed transfer is a case of its own', async () => {
    const world = hrWorld();
    await send(world, { type: 'worker.transferred', id: 'a' });
    const [transfer] = metas(world);
    await world.tables.transact(transition(transfer as CaseMeta, { state: 'CLOSED', closedAt: NOW }));
    await send(world, { type: 'worker.transferred', id: 'b' });
    expect(metas(world)).toHaveLength(1);
    await send(world, { type: 'worker.terminated', id: 'c' });
    expect(
      metas(world)
        .map(({ act }) => act)
        .sort(),
    ).toEqual(['custody', 'end']);
  });

  test('nobody without the pepper computes the id of a case, and no digest of what HR said is in clear', async () => {
    const world = hrWorld();
    await send(world);
    const [meta] = metas(world);
    const name = { instance: 'test', workerId: WORKER, number: 1, kind: 'departure' } as const;
    const [pepper = ''] = await world.deps('case-folder').secrets.values('pepper');
    expect(meta?.caseId).toBe(caseIdOf(pepper, name));
    expect(meta?.caseId).not.toBe(caseIdOf('', name));
    const [stored] = world.tables.dump('inbox').filter(({ pk }) => pk === 'hr');
    expect(stored?.bodySha256).toEqual(expect.any(String));
    expect(JSON.stringify(outbox(world))).not.toContain(stored?.bodySha256);
  });

  test('a rehire opens nothing and undoes nothing', async () => {
    const world = hrWorld();
    await send(world, { type: 'worker.rehired', id: 'a' });
    expect(metas(world)).toEqual([]);
    await send(world, { id: 'b' });
    await send(world, { type: 'worker.rehired', id: 'c' });
    expect(metas(world)).toMatchObject([{ state: 'CONTAINING', questions: [] }]);
  });

  test('one delivery of bamboohr about two people is two cases', async () => {
    const world = hrWorld();
    const gone = (id: string) => ({
      id,
      fields: { Status: { value: 'Inactive' }, 'Employment Status: Date': { value: '2026-11-30' } },
    });
    const body = JSON.stringify({ employees: [gone('5'), gone('6')] });
    const signature = createHmac('sha256', BAMBOO_SECRET).update(`${body}${NOW}`).digest('hex');
    const headers = { 'x-bamboohr-timestamp': String(NOW), 'x-bamboohr-signature': signature };
    expect(
      await post(world, { pathParameters: { source: 'bamboo' }, headers, body, isBase64Encoded: false }),
    ).toMatchObject({ status: 202 });
    await foldInbox(world);
    expect(metas(world).map(({ workerId, corroboration }) => [workerId, corroboration])).toEqual([
      ['5', 'confirmed'],
      ['6', 'confirmed'],
    ]);
  });

  test('statements in any order, repeated and beside each other, give one schedule', async () => {
    const statements: Said[] = [
      { type: 'worker.terminated', effectiveAt: NOW + 100, saidAt: NOW - 9 },
      { type: 'worker.terminated', effectiveAt: NOW + 200, saidAt: NOW - 8 },
      { type: 'worker.contract_ended', effectiveAt: NOW + 100, saidAt: NOW - 8 },
      { type: 'worker.transferred', effectiveAt: NOW + 100, saidAt: NOW - 7 },
      { type: 'worker.rescinded', effectiveAt: NOW + 200, saidAt: NOW - 6 },
      { type: 'worker.rescinded', effectiveAt: NOW + 300, saidAt: NOW - 5 },
      { type: 'worker.rehired', effectiveAt: NOW + 400, saidAt: NOW - 4 },
    ];
    const orders = fc
      .subarray(
        statements.map((_, n) => n),
        { minLength: 1 },
      )
      .chain((some) =>
        fc.tuple(fc.constant(some), fc.shuffledSubarray([...some, ...some], { minLength: some.length * 2 })),
      );
    const outcome = async (order: readonly number[], together: boolean) => {
      const world = hrWorld();
      for (const [n, index] of order.entries()) {
        await receiveWebhook(delivery(world, { ...statements[index], id: `msg_${n}` }), world.deps('intake'));
        if (!together) await foldInbox(world);
      }
      await foldInbox(world);
      const folded = metas(world).map(({ act, effectiveAt, questions, state }) => ({
        act,
        effectiveAt,
        questions,
        state,
      }));
      return {
        folded,
        due: due(world),
        said: world.tables.dump('cases').filter(({ sk }) => sk.startsWith('SAID#')).length,
      };
    };
    await fc.assert(
      fc.asyncProperty(orders, fc.boolean(), async ([some, shuffled], together) => {
        const expected = await outcome(some, false);
        expect(expected.folded).toEqual([]);
        expect(await outcome(shuffled, together)).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });
});
