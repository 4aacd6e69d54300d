/**
 * Several tabs of one user on one storage, in two rooms: whatever they do to each other, each
 * message that was written is stored once, and all show the same.
 */

import { describe, expect, it } from 'vitest';
import type { ChatClient, EnteredRoom } from '../../src/index.js';
import { Seeded } from '../support/seeded.js';
import { pass, virtualTime } from '../support/time.js';
import { World } from '../support/world.js';

virtualTime();

const SEEDS = 25;
const STEPS = 40;
const ROOMS = ['1', '2'];
const HEALED_MS = 120_000;

interface Tab {
  client: ChatClient;
  rooms: EnteredRoom[];
}

class Play {
  readonly world = new World();
  readonly seeded: Seeded;
  readonly written: string[] = [];
  readonly tabs: Tab[];

  constructor(seed: number) {
    this.seeded = new Seeded(seed);
    this.world.server.room('2');
    this.tabs = [this.opened(), this.opened()];
  }

  opened(): Tab {
    const client = this.world.client({ random: this.seeded.next });
    return { client, rooms: ROOMS.map((roomId) => client.enter(roomId)) };
  }

  async step(): Promise<void> {
    const { server } = this.world;
    const tab = this.seeded.one(this.tabs);
    const act = this.seeded.one([
      () => this.#send(tab),
      () => this.#send(tab),
      () => this.#others(),
      () => server.drop(),
      () => server.live[0]?.cut(),
      () => Object.assign(server, { reachable: this.seeded.below(2) === 0 }),
      () => server.trouble('/app/message', this.seeded.one(['ignored', 'no receipt'] as const), 1),
      () => server.trouble('/app/message', { code: 'overloaded', retryable: true }, 2),
      () => this.#reload(tab),
      () => this.tabs.push(this.opened()),
      () => this.#leave(tab),
    ]);
    await act();
    await pass(this.seeded.one([0, 3, 12, 40, 300, 3_000]));
  }

  async heal(): Promise<void> {
    this.world.server.heal();
    await pass(HEALED_MS);
  }

  #send(tab: Tab): void {
    const content = `mine ${this.written.length}`;
    this.written.push(content);
    this.seeded.one(tab.rooms).send(content);
  }

  #others(): void {
    this.world.server.post(this.seeded.one(ROOMS), 'bob', 'hello');
  }

  #reload(tab: Tab): void {
    tab.client.close();
    Object.assign(tab, this.opened());
  }

  /** One room is left for a moment: what waits in it goes out all the same. */
  async #leave(tab: Tab): Promise<void> {
    const index = this.seeded.below(2);
    tab.rooms[index]?.leave();
    await pass(this.seeded.below(10));
    tab.rooms[index] = tab.client.enter(ROOMS[index] ?? '');
  }
}

describe('whatever several tabs do', () => {
  it.each(Array.from({ length: SEEDS }, (_, seed) => seed))('seed %i ends well', async (seed) => {
    const play = new Play(seed);
    for (let step = 0; step < STEPS; step += 1) await play.step();
    await play.heal();

    const logs = ROOMS.map((roomId) => play.world.server.room(roomId).messages);
    const mine = logs.flat().filter((message) => message.sender === 'alice');
    expect(mine.map((message) => message.content).sort()).toEqual([...play.written].sort());
    expect(play.world.storage).toHaveLength(0);
    for (const { rooms } of play.tabs) {
      for (const [index, room] of rooms.entries()) {
        expect(room.get()).toMatchObject({ status: 'ready', live: true, outbox: [] });
        expect(room.get().messages).toEqual(logs[index]?.slice(-room.get().messages.length));
      }
    }
  });
});
