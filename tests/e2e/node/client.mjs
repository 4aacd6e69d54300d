// What the scripts share: @stomp/stompjs as its documentation says, and a way to tell the test.
//
// A script gets its parameters as JSON in its first argument, and tells what happens to it as one
// JSON object per line. It judges nothing: that is the test's part.

import { Client } from '@stomp/stompjs';
import { WebSocket } from 'ws';

// Browsers have it; Node has it from version 22 on.
globalThis.WebSocket = WebSocket;

export const parameters = JSON.parse(process.argv[2]);

export function tell(event, fields = {}) {
  process.stdout.write(`${JSON.stringify({ event, ...fields })}\n`);
}

export function makeClient(options) {
  return new Client({
    brokerURL: parameters.url,
    connectHeaders: { Authorization: parameters.token },
    reconnectDelay: 0,
    onStompError: (frame) => tell('error', { headers: frame.headers }),
    onWebSocketClose: (close) => tell('closed', { code: close.code, clean: close.wasClean }),
    ...options,
  });
}

// The test ends a script by closing its standard input.
export function untilTold() {
  return new Promise((resolve) => {
    process.stdin.on('end', resolve).resume();
  });
}
