// Ask for something that is refused, tell how it ends.

import { makeClient, parameters, tell } from './client.mjs';

const client = makeClient({
  onConnect: () => {
    tell('connected');
    client.publish({ destination: parameters.destination, body: parameters.body });
  },
});

client.activate();
