import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FetchHttp } from '../../lib/aws/fetch-http';

const http = new FetchHttp();
let server: Server;
let status = 200;
beforeAll(async () => {
  server = createServer((_request, response) => response.writeHead(status).end('as it is'));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
});
afterAll(() => server.close());
const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;

test.each([403, 404, 503])(
  'http.not-yet: %i is an answer, and what it means is for the caller to say',
  async (code) => {
    status = code;
    expect(await http.get(url())).toEqual({ status: code, body: 'as it is' });
  },
);

test('http.not-yet: where nothing listens yet, nothing answered', async () => {
  await expect(http.get('http://127.0.0.1:1/')).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' });
});

test('http.no-name: a name that does not resolve is nothing that answered, and the URL is named', async () => {
  await expect(http.get('http://curfew.invalid/')).rejects.toMatchObject({
    code: 'ERR_UNAVAILABLE',
    message: 'nothing answered within five seconds',
    got: 'http://curfew.invalid/',
  });
});
