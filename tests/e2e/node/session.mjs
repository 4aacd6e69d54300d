// Connect, subscribe, send as the requirements say, with receipts; disconnect.

import { makeClient, parameters, tell } from './client.mjs';

const client = makeClient({});

client.onConnect = (frame) => {
  const { extensions } = client.webSocket;
  tell('connected', { headers: frame.headers, version: client.connectedVersion, extensions });
  client.watchForReceipt('subscribed', subscribed);
  client.subscribe(
    `/topic/rooms/${parameters.room}`,
    (message) => {
      tell('message', { headers: message.headers, body: JSON.parse(message.body) });
      client.deactivate().then(() => tell('deactivated'));
    },
    { receipt: 'subscribed' },
  );
};

function subscribed(receipt) {
  tell('receipt', { headers: receipt.headers });
  client.watchForReceipt('sent', (sent) => tell('receipt', { headers: sent.headers }));
  client.publish({
    destination: '/app/message',
    headers: { Authorization: parameters.token, receipt: 'sent' },
    body: JSON.stringify({ content: parameters.content, roomId: parameters.room }),
  });
}

client.activate();
