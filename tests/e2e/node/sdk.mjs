// The SDK of web/client in a room: tells each change of the connection, of what waits and of the
// log; sends each line of its standard input as a message.

import { createInterface } from 'node:readline';

import { ChatClient } from '../../../web/client/dist/index.js';
import { WebSocket } from 'ws';
import { parameters, tell } from './client.mjs';

const client = new ChatClient({
  url: parameters.url.replace(/^ws/, 'http').replace(/\/allibe-ws$/, ''),
  getToken: () => parameters.token,
  storage: null,
  webSocket: (address, protocols) => new WebSocket(address, protocols),
});
client.connection.subscribe(() => tell('connection', { state: client.connection.get().state }));
client.on('error', ({ code, retryable }) => tell('error', { code, retryable }));

const room = client.enter(parameters.room);
let shown = 0;
let live = false;
let waiting = '';
room.subscribe(() => {
  const snapshot = room.get();
  if (snapshot.live !== live) {
    live = snapshot.live;
    tell(live ? 'live' : 'not live');
  }
  for (const { offset, content } of snapshot.messages.slice(shown)) {
    tell('message', { offset, content });
  }
  shown = snapshot.messages.length;
  const outbox = snapshot.outbox.map(({ content, state, error }) => ({
    content,
    state,
    error: error && { code: error.code, retryable: error.retryable },
  }));
  if (JSON.stringify(outbox) !== waiting) {
    waiting = JSON.stringify(outbox);
    tell('outbox', { outbox });
  }
});

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => room.send(line));
lines.on('close', () => {
  client.close();
  setTimeout(() => process.exit(0), 200);
});
