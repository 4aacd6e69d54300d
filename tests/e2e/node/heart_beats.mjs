// Stay connected and idle; tell of each heart-beat in either direction.

import { makeClient, parameters, tell, untilTold } from './client.mjs';

const client = makeClient({
  heartbeatIncoming: parameters.milliseconds,
  heartbeatOutgoing: parameters.milliseconds,
  debug: (line) => {
    if (line === '<<< PONG') tell('beat', { direction: 'in' });
    if (line === '>>> PING') tell('beat', { direction: 'out' });
  },
  onConnect: (frame) => tell('connected', { headers: frame.headers }),
});

client.activate();
await untilTold();
await client.deactivate();
