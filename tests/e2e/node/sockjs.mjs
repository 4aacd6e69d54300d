// stompjs over sockjs-client and one of its transports: listen, post what is written, come back.

import { createInterface } from 'node:readline';
import SockJS from 'sockjs-client';
import { makeClient, parameters, tell } from './client.mjs';

let last = null;
let socket = null;

const client = makeClient({
  webSocketFactory: () => {
    const url = parameters.url.replace('ws', 'http');
    socket = new SockJS(url, null, { transports: parameters.transport });
    return socket;
  },
  reconnectDelay: 50,
  heartbeatIncoming: 2000,
  onConnect: () => {
    client.watchForReceipt('subscribed', ({ headers }) => {
      tell('subscribed', { headers, transport: socket.transport });
    });
    client.subscribe(
      `/topic/rooms/${parameters.room}`,
      (message) => {
        last = message.headers['message-id'];
        const { offset, content } = JSON.parse(message.body);
        tell('message', { offset, content });
      },
      last === null
        ? { receipt: 'subscribed' }
        : { receipt: 'subscribed', 'x-since': last },
    );
  },
});

client.activate();
for await (const content of createInterface({ input: process.stdin })) {
  client.publish({
    destination: '/app/message',
    body: JSON.stringify({ content, roomId: parameters.room }),
  });
}
await client.deactivate();
tell('ended');
process.exit();
