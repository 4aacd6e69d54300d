/** Messages that are written while they cannot be sent: kept, and sent once, in order. */

import { describe, expect, it } from 'vitest';
import { pass, virtualTime } from '../support/time.js';
import { MOMENT_MS, shown, World, waiting } from '../support/world.js';

virtualTime();

const RECONNECTED_MS = 600;

describe('a message', () => {
  it('is pending at once, sent with its receipt, and then in the log', async () => {
    const world = new World();
    const { room } = await world.entered();
    const states: string[] = [];
    room.subscribe(() => states.push([...shown(room), ...waiting(room)].join()));
    world.server.room('1').loseNext = 1;
    const entry = room.send('hello');
    expect(entry).toMatchObject({ state: 'pending', content: 'hello', roomId: '1', error: null });
    await pass(MOMENT_MS);
    world.server.post('1', 'bob', 'and you?');
    await pass(MOMENT_MS);
    expect(states.filter((one, index) => one !== states[index - 1])).toEqual([
      'hello pending',
      'hello sent',
      'hello,and you?',
    ]);
    expect(room.get().messages[0]).toMatchObject({
      sender: 'alice',
      clientMessageId: entry.clientMessageId,
    });
  });

  it('goes out after the one before it has its receipt', async () => {
    const world = new World();
    const { room } = await world.entered();
    for (const content of ['a', 'b', 'c']) room.send(content);
    await pass(7);
    expect(world.server.sent('/app/message')).toHaveLength(1);
    await pass(MOMENT_MS);
    expect(world.server.room('1').contents).toEqual(['a', 'b', 'c']);
  });

  it('is told of by an event when it is in the log, as others’ are', async () => {
    const world = new World();
    const { client, room } = await world.entered();
    const arrived: string[] = [];
    client.on('message', (message) => arrived.push(`${message.sender} ${message.content}`));
    room.send('mine');
    world.server.post('1', 'bob', 'his');
    await pass(MOMENT_MS);
    expect(arrived).toEqual(['bob his', 'alice mine']);
  });
});

describe('while there is no connection', () => {
  it('messages wait, and go out once, in order, after what was missed', async () => {
    const world = new World();
    const { room } = await world.entered();
    world.server.drop();
    await pass(10);
    for (const content of ['a', 'b', 'c']) room.send(content);
    world.server.post('1', 'bob', 'missed');
    expect(waiting(room)).toEqual(['a pending', 'b pending', 'c pending']);
    await pass(RECONNECTED_MS + MOMENT_MS);
    expect(shown(room)).toEqual(['missed', 'a', 'b', 'c']);
    expect(waiting(room)).toEqual([]);
    const { frames = [] } = world.server.live[0] ?? {};
    const at = (destination: string) =>
      frames.findIndex((frame) => frame.headers.destination === destination);
    expect(at('/topic/rooms/1')).toBeLessThan(at('/app/message'));
    expect(world.server.sent('/app/message')).toHaveLength(3);
  });

  it('messages keep the connection wanted after the room was left', async () => {
    const world = new World();
    const { client, room } = await world.entered();
    world.server.drop();
    await pass(10);
    room.send('last words');
    room.leave();
    await pass(RECONNECTED_MS + MOMENT_MS);
    expect(world.server.room('1').contents).toEqual(['last words']);
    await pass(MOMENT_MS);
    expect(client.connection.get().state).toBe('idle');
    expect(world.server.live).toHaveLength(0);
  });
});

describe('a message in a room', () => {
  it('that is not live yet goes out when the room is left before it is', async () => {
    const world = new World();
    const { client } = await world.entered();
    world.server.room('2');
    const second = client.enter('2');
    second.send('in passing');
    second.leave();
    await pass(MOMENT_MS);
    expect(world.server.room('2').contents).toEqual(['in passing']);
  });

  it('waits for the subscription', async () => {
    const world = new World();
    world.server.trouble('/topic/rooms/1', { code: 'store_unavailable', retryable: true }, 1);
    const { room } = await world.entered();
    room.send('patience');
    await pass(MOMENT_MS);
    expect(world.server.room('1').contents).toEqual([]);
    await pass(2_000);
    expect(shown(room)).toEqual(['patience']);
  });
});

describe('after a reload', () => {
  it('what waited goes out once, whether its room is entered or not', async () => {
    const world = new World();
    world.server.room('2');
    const { client, room } = await world.entered();
    const other = client.enter('2');
    await pass(MOMENT_MS);
    world.server.reachable = false;
    world.server.drop();
    await pass(10);
    room.send('one');
    other.send('two');
    room.send('three');
    client.close();
    await pass(MOMENT_MS);
    world.server.heal();

    const again = await world.entered();
    await pass(MOMENT_MS);
    expect(world.server.room('1').contents).toEqual(['one', 'three']);
    expect(world.server.room('2').contents).toEqual(['two']);
    expect(shown(again.room)).toEqual(['one', 'three']);
    expect(waiting(again.room)).toEqual([]);
    expect(world.storage).toHaveLength(0);
  });

  it('what waited goes out although no room is entered, and the connection closes then', async () => {
    const world = new World();
    const { client, room } = await world.entered();
    world.server.reachable = false;
    world.server.drop();
    await pass(10);
    room.send('one');
    client.close();
    await pass(MOMENT_MS);
    world.server.heal();

    const again = world.client();
    const close = again.rooms.open();
    await pass(300);
    expect(world.server.room('1').contents).toEqual(['one']);
    expect(again.connection.get().state).toBe('idle');
    close();
  });

  it('a message that was stored, but whose receipt was lost, is not stored again', async () => {
    const world = new World();
    const { client, room } = await world.entered();
    world.server.trouble('/app/message', 'no receipt', 1);
    world.server.room('1').loseNext = 1;
    room.send('one');
    await pass(MOMENT_MS);
    client.close();
    await pass(MOMENT_MS);
    const again = await world.entered();
    await pass(MOMENT_MS);
    expect(world.server.room('1').contents).toEqual(['one']);
    expect(shown(again.room)).toEqual(['one']);
    expect(waiting(again.room)).toEqual([]);
    expect(world.storage).toHaveLength(0);
  });

  it('a message that failed is still there, failed', async () => {
    const world = new World();
    const { client, room } = await world.entered();
    world.server.trouble('/app/message', { code: 'rejected', retryable: false }, 1);
    const { clientMessageId } = room.send('bad');
    await pass(MOMENT_MS);
    client.close();
    await pass(MOMENT_MS);
    const again = await world.entered();
    expect(waiting(again.room)).toEqual(['bad failed']);
    expect(again.room.get().outbox[0]?.error?.code).toBe('rejected');
    again.room.resend(clientMessageId);
    await pass(MOMENT_MS);
    expect(shown(again.room)).toEqual(['bad']);
  });

  it('another user’s messages stay where they are', async () => {
    const world = new World();
    const { client, room } = await world.entered();
    world.server.reachable = false;
    world.server.drop();
    await pass(10);
    room.send('alice’s');
    client.close();
    await pass(MOMENT_MS);
    world.server.heal();
    const { getToken } = Object.assign(world.desk, { user: 'bob' });
    const bobs = await world.entered({ getToken });
    await pass(MOMENT_MS);
    expect(waiting(bobs.room)).toEqual([]);
    expect(world.server.room('1').contents).toEqual([]);
    expect(world.storage).toHaveLength(1);
  });
});

describe('two tabs', () => {
  it('do not lose, and do not double, what each of them holds', async () => {
    const world = new World();
    const first = await world.entered();
    const second = await world.entered();
    world.server.reachable = false;
    world.server.drop();
    await pass(10);
    first.room.send('of the first');
    second.room.send('of the second');
    expect(world.storage).toHaveLength(2);
    first.client.close();
    second.client.close();
    await pass(MOMENT_MS);
    world.server.heal();

    const third = await world.entered();
    const fourth = await world.entered();
    await pass(MOMENT_MS);
    expect([...world.server.room('1').contents].sort()).toEqual(['of the first', 'of the second']);
    expect(shown(third.room)).toEqual(shown(fourth.room));
    await pass(20_000);
    expect([...waiting(third.room), ...waiting(fourth.room)]).toEqual([]);
    expect(world.storage).toHaveLength(0);
  });
});

describe('the outbox', () => {
  it('says when it is full, and takes messages again when some are gone', async () => {
    const world = new World();
    const { room } = await world.entered();
    world.server.drop();
    await pass(10);
    for (let number = 1; number <= 500; number += 1) room.send(`${number}`);
    expect(() => room.send('501')).toThrow(expect.objectContaining({ code: 'outbox_full' }));
    await pass(RECONNECTED_MS + 10_000);
    expect(world.server.room('1').contents).toHaveLength(500);
    room.send('501');
    await pass(MOMENT_MS);
    expect(world.server.room('1').contents.at(-1)).toBe('501');
    expect(world.server.room('1').contents.at(499)).toBe('500');
  });

  it('refuses at once what the server would', async () => {
    const { room } = await new World().entered();
    const refused = (code: string) => expect.objectContaining({ code, retryable: false });
    expect(() => room.send('  ')).toThrow(refused('invalid_content'));
    expect(() => room.send('x'.repeat(8_193))).toThrow(refused('content_too_long'));
    expect(waiting(room)).toEqual([]);
  });

  it('works without a place to store in, and with one that is full', async () => {
    const world = new World();
    world.storage.full = true;
    for (const options of [{ storage: null }, {}]) {
      const { client, room } = await world.entered(options);
      world.server.drop();
      await pass(10);
      room.send('kept in memory');
      await pass(RECONNECTED_MS + MOMENT_MS);
      expect(shown(room)).toContain('kept in memory');
      client.close();
      await pass(MOMENT_MS);
    }
    expect(world.server.room('1').contents).toHaveLength(2);
  });
});
