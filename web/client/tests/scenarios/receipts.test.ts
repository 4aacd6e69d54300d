/** Receipts that do not come, and requests that the server refuses. */

import { describe, expect, it } from 'vitest';
import { pass, virtualTime } from '../support/time.js';
import { MOMENT_MS, shown, World, waiting } from '../support/world.js';

virtualTime();

const GIVEN_UP_MS = 15_000;
const RECONNECTED_MS = 600;

describe('a lost receipt', () => {
  it('of a message ends the connection; the message goes out again and is stored once', async () => {
    const world = new World();
    const { server } = world;
    const { client, room } = await world.entered();
    server.trouble('/app/message', 'no receipt', 1);
    server.room('1').loseNext = 1;
    room.send('once');
    await pass(GIVEN_UP_MS - 10);
    expect(client.connection.get().state).toBe('online');
    expect(waiting(room)).toEqual(['once pending']);
    await pass(20);
    expect(client.connection.get()).toMatchObject({
      state: 'reconnecting',
      disconnect: { code: 4001 },
    });
    await pass(RECONNECTED_MS);
    const ids = server
      .sent('/app/message')
      .map((frame) => JSON.parse(frame.body).clientMessageId as string);
    expect(ids.length).toBeGreaterThanOrEqual(1);
    expect(new Set(ids).size).toBe(1);
    expect(server.room('1').contents).toEqual(['once']);
    expect(shown(room)).toEqual(['once']);
    expect(waiting(room)).toEqual([]);
  });

  it('of a message that never arrived: it goes out again under the same id', async () => {
    const world = new World();
    const { room } = await world.entered();
    world.server.trouble('/app/message', 'ignored', 1);
    room.send('once');
    await pass(GIVEN_UP_MS + RECONNECTED_MS);
    const bodies = world.server.sent('/app/message').map((frame) => JSON.parse(frame.body));
    expect(bodies).toHaveLength(2);
    expect(bodies[0]).toEqual(bodies[1]);
    expect(world.server.room('1').contents).toEqual(['once']);
    expect(waiting(room)).toEqual([]);
  });

  it('of a subscription ends the connection, and the next one subscribes anew', async () => {
    const world = new World();
    world.server.post('1', 'bob', 'hi');
    world.server.trouble('/topic/rooms/1', 'no receipt', 1);
    const { client, room } = await world.entered();
    room.send('waits for the subscription');
    await pass(GIVEN_UP_MS - 200);
    expect(room.get().live).toBe(false);
    expect(world.server.sent('/app/message')).toHaveLength(0);
    await pass(200 + RECONNECTED_MS);
    expect(client.connection.get().state).toBe('online');
    expect(room.get().live).toBe(true);
    expect(shown(room)).toEqual(['hi', 'waits for the subscription']);
  });

  it('that the break cut off is as one that did not come', async () => {
    const world = new World();
    const { room } = await world.entered();
    room.send('once');
    await pass(7);
    expect(world.server.room('1').contents).toEqual(['once']);
    world.server.live[0]?.cut();
    await pass(60_000);
    expect(world.server.room('1').contents).toEqual(['once']);
    expect(shown(room)).toEqual(['once']);
    expect(waiting(room)).toEqual([]);
  });
});

describe('a message that is refused', () => {
  it('for now is tried again until it is taken, in its place', async () => {
    const world = new World();
    const { room } = await world.entered();
    world.server.trouble('/app/message', { code: 'store_unavailable', retryable: true }, 3);
    room.send('first');
    room.send('second');
    await pass(MOMENT_MS);
    expect(waiting(room)).toEqual(['first pending', 'second pending']);
    await pass(20_000);
    expect(world.server.room('1').contents).toEqual(['first', 'second']);
    expect(waiting(room)).toEqual([]);
    expect(world.server.sockets).toHaveLength(1);
  });

  it('for now, with a time to wait, is not tried before that', async () => {
    const world = new World();
    const { room } = await world.entered();
    const overloaded = { code: 'overloaded', retryable: true, retryAfterMs: 7_000 };
    world.server.trouble('/app/message', overloaded, 1);
    room.send('later');
    await pass(7_000);
    expect(world.server.sent('/app/message')).toHaveLength(1);
    await pass(1_000);
    expect(world.server.room('1').contents).toEqual(['later']);
  });

  it('for good has failed; the next ones go out', async () => {
    const world = new World();
    const { client, room } = await world.entered();
    world.server.trouble('/app/message', { code: 'rejected', retryable: false }, 1);
    room.send('bad');
    room.send('good');
    await pass(MOMENT_MS);
    expect(waiting(room)).toEqual(['bad failed']);
    expect(room.get().outbox[0]?.error?.code).toBe('rejected');
    expect(shown(room)).toEqual(['good']);
    expect(client.connection.get().state).toBe('online');
  });

  it('can be sent again, or forgotten', async () => {
    const world = new World();
    const { room } = await world.entered();
    world.server.trouble('/app/message', { code: 'rejected', retryable: false }, 2);
    const again = room.send('again');
    const never = room.send('never');
    await pass(MOMENT_MS);
    room.resend(again.clientMessageId);
    room.discard(never.clientMessageId);
    expect(waiting(room)).toEqual(['again pending']);
    await pass(MOMENT_MS);
    expect(waiting(room)).toEqual([]);
    expect(world.server.room('1').contents).toEqual(['again']);
    expect(world.storage).toHaveLength(0);
  });

  it('by an ERROR for now goes out over the next connection', async () => {
    const world = new World();
    const { client, room } = await world.entered();
    const refusal = { code: 'store_unavailable', retryable: true, closes: 4406 };
    world.server.trouble('/app/message', refusal, 1);
    room.send('once');
    await pass(MOMENT_MS);
    expect(client.connection.get()).toMatchObject({ disconnect: { code: 4406 } });
    await pass(2_000);
    expect(world.server.room('1').contents).toEqual(['once']);
    expect(waiting(room)).toEqual([]);
  });

  it('by an ERROR for good has failed, and so has the connection', async () => {
    const world = new World();
    const { client, room } = await world.entered();
    const refusal = { code: 'sender_mismatch', retryable: false, closes: 4404 };
    world.server.trouble('/app/message', refusal, 1);
    room.send('bad');
    await pass(MOMENT_MS);
    expect(waiting(room)).toEqual(['bad failed']);
    expect(client.connection.get().state).toBe('refused');
  });
});

describe('a subscription that is refused', () => {
  it('for now is tried again', async () => {
    const world = new World();
    world.server.trouble('/topic/rooms/1', { code: 'store_unavailable', retryable: true }, 2);
    const { room } = await world.entered();
    expect(room.get()).toMatchObject({ status: 'ready', live: false });
    await pass(5_000);
    expect(room.get().live).toBe(true);
    expect(world.server.sockets).toHaveLength(1);
  });

  it('for good ends the room', async () => {
    const world = new World();
    const { client, room } = await world.entered();
    world.server.drop();
    await pass(10);
    world.server.room('1').members.delete('alice');
    await pass(RECONNECTED_MS);
    expect(room.get()).toMatchObject({ status: 'ended', error: { code: 'not_a_member' } });
    expect(client.connection.get().state).toBe('online');
  });
});

describe('a membership that ends', () => {
  it('ends the room at once; the connection lives, and other rooms go on', async () => {
    const world = new World();
    world.server.room('2');
    const { client, room } = await world.entered();
    const other = client.enter('2');
    await pass(MOMENT_MS);
    world.server.remove('1', 'alice');
    world.server.post('1', 'bob', 'among ourselves');
    world.server.post('2', 'bob', 'hello');
    await pass(MOMENT_MS);
    expect(room.get()).toMatchObject({ status: 'ended', live: false });
    expect(room.get().error?.code).toBe('not_a_member');
    expect(shown(room)).toEqual([]);
    expect(shown(other)).toEqual(['hello']);
    const requests = world.server.api.requests.length;
    await pass(60_000);
    expect(world.server.api.requests).toHaveLength(requests);
    expect(world.server.sockets).toHaveLength(1);
  });

  it('lets no message of the room wait for ever: they are refused', async () => {
    const world = new World();
    const { room } = await world.entered();
    world.server.remove('1', 'alice');
    await pass(MOMENT_MS);
    room.send('too late');
    await pass(MOMENT_MS);
    expect(waiting(room)).toEqual(['too late failed']);
    expect(room.get().outbox[0]?.error?.code).toBe('not_a_member');
  });

  it('is not met with the same read marker again and again', async () => {
    const world = new World();
    world.server.post('1', 'bob', 'hi');
    const { room } = await world.entered();
    world.server.room('1').members.delete('alice');
    room.markRead();
    await pass(10_000);
    expect(world.server.sent('/app/read')).toHaveLength(1);
  });
});

describe('an error that belongs to no request', () => {
  it('is told as an event', async () => {
    const world = new World();
    const { client } = await world.entered();
    const errors: string[] = [];
    client.on('error', (error) => errors.push(`${error.code} ${error.retryable}`));
    const error = { type: 'error', code: 'overloaded', message: 'Slow down.', retryable: true };
    world.server.tell('alice', 'errors', error);
    world.server.tell('alice', 'errors', { ...error, receiptId: 'of nobody' });
    await pass(MOMENT_MS);
    expect(errors).toEqual(['overloaded true', 'overloaded true']);
  });
});
