/**
 * Anything, in any order: whatever went wrong, once it goes right again the client shows the log
 * as the server has it, and what the user wrote is in it once, in the order of writing.
 *
 * A seed that fails is in the name of its test: `-t 'seed 17'` plays it again.
 */

import { describe, expect, it } from 'vitest';
import type { ChatClient, EnteredRoom } from '../../src/index.js';
import { Seeded } from '../support/seeded.js';
import { pass, virtualTime } from '../support/time.js';
import { World } from '../support/world.js';

virtualTime();

const SEEDS = 60;
const STEPS = 50;

/** What a client comes back from by itself. */
const CODES = [1006, 1011, 1012, 1013, 4401, 4402, 4403, 4406, 4408, 4409, 4410, 4429];

/** As long as nothing can be put off any more: the longest wait, a lost receipt, a heart-beat. */
const HEALED_MS = 120_000;

class Play {
  readonly world = new World();
  readonly seeded: Seeded;
  readonly written: string[] = [];
  readonly arrived: number[] = [];
  readonly steps: string[] = [];
  client: ChatClient;
  room: EnteredRoom;

  constructor(seed: number) {
    this.seeded = new Seeded(seed);
    [this.client, this.room] = this.visit();
  }

  /** A page is loaded: a client, the room entered. */
  visit(): [ChatClient, EnteredRoom] {
    const client = this.world.client({ random: this.seeded.next });
    this.arrived.length = 0;
    client.on('message', (message) => this.arrived.push(message.offset));
    return [client, client.enter('1')];
  }

  readonly #actions: Readonly<Record<string, () => void>> = {
    send: () => this.#send(),
    'send twice': () => {
      this.#send();
      this.#send();
    },
    'other posts': () => this.#others(1 + this.seeded.below(3)),
    'other posts much': () => this.#others(this.seeded.one([20, 60, 520, 1_050])),
    'lose a message': () => {
      this.world.server.room('1').loseNext = 1 + this.seeded.below(2);
    },
    'double a message': () => {
      this.world.server.room('1').doubleNext = 1 + this.seeded.below(2);
    },
    drop: () => this.world.server.drop(this.seeded.one(CODES)),
    hint: () => this.world.server.hint(this.seeded.one([0, 100, 5_000])),
    cut: () => this.world.server.live[0]?.cut(),
    'lose the network': () => {
      this.world.server.reachable = false;
      this.world.server.drop();
    },
    'find the network': () => {
      this.world.server.reachable = true;
      if (this.seeded.below(2)) this.world.network.change({ online: true });
    },
    'lose receipts': () => this.#trouble('no receipt'),
    'ignore requests': () => this.#trouble('ignored'),
    'refuse for now': () => this.#trouble({ code: 'store_unavailable', retryable: true }),
    'refuse by ERROR': () =>
      this.#trouble({ code: 'store_unavailable', retryable: true, closes: 4406 }),
    'fail over HTTP': () => {
      const { api } = this.world.server;
      const faults = [
        'network',
        { status: 503 },
        { status: 404, text: '<html>' },
        { status: 200, text: '<html>' },
        { status: 200, body: {} },
      ] as const;
      api.trouble(this.seeded.one([/messages/, /rooms\/1$/, /rooms/]), this.seeded.one(faults), 2);
    },
    'look at the page': () => this.world.network.change({ visible: true }),
    'slow HTTP': () => {
      this.world.server.api.delayMs = this.seeded.one([10, 200, 3_000]);
    },
    'no recovery': () => {
      this.world.server.recovers = !this.world.server.recovers;
    },
    'load older': () => void this.room.loadOlder(),
    'load anew': () => this.room.reload(),
    'mark read': () => this.room.markRead(),
    'leave and enter': () => {
      this.room.leave();
      this.room = this.client.enter('1');
    },
    'load the page anew': () => {
      this.client.close();
      [this.client, this.room] = this.visit();
    },
  };

  async step(): Promise<void> {
    const [name = '', act] = this.seeded.one(Object.entries(this.#actions));
    this.steps.push(name);
    act?.();
    await pass(this.seeded.one([0, 1, 7, 30, 200, 1_000, 8_000]));
  }

  async heal(): Promise<void> {
    const { server } = this.world;
    server.heal();
    Object.assign(server.room('1'), { loseNext: 0, doubleNext: 0 });
    server.api.delayMs = 10;
    await pass(HEALED_MS);
    // That the last message of all was lost shows with the next one, and not before.
    server.post('1', 'bob', 'the end');
    await pass(1_000);
  }

  #send(): void {
    const content = `mine ${this.written.length}`;
    this.written.push(content);
    this.room.send(content);
  }

  #others(count: number): void {
    for (let number = 0; number < count; number += 1) {
      this.world.server.post('1', 'bob', `bob ${this.world.server.room('1').last}`);
    }
  }

  #trouble(fault: Parameters<World['server']['trouble']>[1]): void {
    const at = this.seeded.one(['/app/message', '/topic/rooms/1', '/app/read', 'CONNECT']);
    this.world.server.trouble(at, at === 'CONNECT' ? 'ignored' : fault, 1 + this.seeded.below(2));
  }
}

describe('whatever happens', () => {
  it.each(Array.from({ length: SEEDS }, (_, seed) => seed))('seed %i ends well', async (seed) => {
    const play = new Play(seed);
    for (let step = 0; step < STEPS; step += 1) await play.step();
    await play.heal();

    const { room, client, world, written, arrived } = play;
    const log = world.server.room('1').messages;
    const played = play.steps.join(', ');
    const mine = log.filter((one) => one.sender === 'alice').map((one) => one.content);
    expect(mine, played).toEqual(written);
    expect(room.get(), played).toMatchObject({ status: 'ready', live: true, error: null });
    expect(client.connection.get().state, played).toBe('online');
    const { messages } = room.get();
    expect(messages.map((one) => one.offset)).toEqual(
      log.slice(-messages.length).map((one) => one.offset),
    );
    expect(messages, played).toEqual(messages.length ? log.slice(-messages.length) : []);
    expect(messages.length, played).toBeGreaterThanOrEqual(Math.min(50, log.length));
    expect(room.get().outbox, played).toEqual([]);
    expect(world.storage, played).toHaveLength(0);
    expect(arrived, played).toEqual([...new Set(arrived)].sort((a, b) => a - b));
  });
});
