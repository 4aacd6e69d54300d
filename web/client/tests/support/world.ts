/** A server, a browser and a user: what a scenario plays in. */

import {
  ChatClient,
  type ChatClientOptions,
  type EnteredRoom,
  WebStorageOutbox,
} from '../../src/index.js';
import { FakeNetwork } from './fake-network.js';
import { FakeServer } from './fake-server.js';
import { MemoryStorage } from './memory-storage.js';
import { pass } from './time.js';
import { TokenDesk } from './token-desk.js';

/** Longer than a round trip, shorter than anything that waits on purpose. */
export const MOMENT_MS = 60;

export class World {
  readonly server = new FakeServer();
  readonly network = new FakeNetwork();
  readonly storage = new MemoryStorage();
  readonly desk = new TokenDesk();

  constructor() {
    this.server.room('1');
  }

  /** A client of alice's; of the same storage, as another tab or a reloaded page has it. */
  client(options: Partial<ChatClientOptions> = {}): ChatClient {
    return new ChatClient({
      url: 'https://chat.test/',
      getToken: this.desk.getToken,
      storage: new WebStorageOutbox(this.storage),
      webSocket: this.server.webSocket,
      fetch: this.server.api.fetch,
      network: this.network,
      random: () => 0.5,
      ...options,
    });
  }

  /** Enters room 1 and waits until it is live. */
  async entered(options: Partial<ChatClientOptions> = {}) {
    const client = this.client(options);
    const room = client.enter('1');
    await pass(MOMENT_MS);
    return { client, room };
  }
}

/** Contents of what a room shows. */
export function shown(room: EnteredRoom): string[] {
  return room.get().messages.map((message) => message.content);
}

/** Contents of what a room has on its way, with their states. */
export function waiting(room: EnteredRoom): string[] {
  return room.get().outbox.map((entry) => `${entry.content} ${entry.state}`);
}

/** Bob posts the numbers from one to another, both included. */
export function postMany(world: World, from: number, to: number): void {
  for (let number = from; number <= to; number += 1) world.server.post('1', 'bob', `${number}`);
}
