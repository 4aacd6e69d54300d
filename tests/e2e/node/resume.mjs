// Listen to a room through whatever happens to the server, as the protocol's guide says:
// stompjs reconnects by itself, and each SUBSCRIBE says what was received last.

import { makeClient, parameters, tell, untilTold } from './client.mjs';

let last = null;
let connections = 0;

const client = makeClient({
  reconnectDelay: 50,
  onConnect: () => {
    connections += 1;
    const receipt = `subscribed-${connections}`;
    client.watchForReceipt(receipt, ({ headers }) => tell('subscribed', { headers }));
    client.subscribe(
      `/topic/rooms/${parameters.room}`,
      (message) => {
        last = message.headers['message-id'];
        const { offset, content } = JSON.parse(message.body);
        tell('message', { offset, content });
      },
      last === null ? { receipt } : { receipt, 'x-since': last },
    );
  },
});

client.activate();
await untilTold();
await client.deactivate();
