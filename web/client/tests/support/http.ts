/** The HTTP side over the fake server, without a client. */

import { Http } from '../../src/http.js';
import { Tokens } from '../../src/tokens.js';
import { FakeServer } from './fake-server.js';
import { pass } from './time.js';
import { TokenDesk } from './token-desk.js';

export function httpTo() {
  const server = new FakeServer();
  const desk = new TokenDesk();
  server.room('1');
  const http = new Http({
    url: 'https://chat.test/api/chat',
    tokens: new Tokens(desk.getToken),
    fetch: server.api.fetch,
  });
  return { server, desk, http };
}

/** Lets time pass until the promise settles. */
export async function answerTo<T>(promise: Promise<T>): Promise<T> {
  const settled = promise.catch(() => {});
  await pass(100);
  await settled;
  return await promise;
}
