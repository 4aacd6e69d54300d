/** How far the user has read in an entered room: known on entering, and moved. */

import { describe, expect, it } from 'vitest';
import { entered, live, ROOM } from '../support/entered.js';
import { message, page } from '../support/messages.js';
import { pass, virtualTime } from '../support/time.js';

virtualTime();

describe('what was read', () => {
  const OTHER = { 'x-offset': '2', 'x-epoch': 'e2', 'x-recovered': 'false' };

  it('is known when the room is ready, and stays as it was on entering', async () => {
    const { room, answers } = entered();
    const seen: unknown[] = [];
    room.subscribe(() => seen.push([room.get().status, room.get().readOffsetOnEntry]));
    await pass();
    answers.room = { ...ROOM, readOffset: 3 };
    room.reload();
    await pass();
    expect(seen.filter((one) => String(one).startsWith('ready'))).not.toContainEqual([
      'ready',
      null,
    ]);
    expect(room.get()).toMatchObject({ status: 'ready', readOffsetOnEntry: 2, room: ROOM });
  });

  it('of another log means nothing', async () => {
    const { room, link, answers } = await live(page(1, 9));
    const other = { ...ROOM, epoch: 'e2', readOffset: 1 };
    Object.assign(answers, { history: () => page(1, 2, 2, 'e2'), room: other });
    link.accept(OTHER);
    await pass();
    expect(room.get()).toMatchObject({ status: 'ready', readOffsetOnEntry: 1, room: other });
  });

  it('of another log means nothing, should the room’s entry be older than the page', async () => {
    const { room, told } = entered(page(1, 2, 2, 'e2'), { ...ROOM, epoch: 'e1', readOffset: 60 });
    await pass();
    expect(room.get()).toMatchObject({ status: 'ready', readOffsetOnEntry: 0 });
    room.markRead();
    expect(told.read).toEqual([['1', 2, true]]);
  });

  it('is moved anew in another log that only a page tells of', async () => {
    const { room, answers, told } = await live(page(60, 80));
    room.markRead();
    Object.assign(answers, {
      history: () => page(1, 2, 2, 'e2'),
      room: { ...ROOM, epoch: 'e2', readOffset: 0 },
    });
    await room.loadOlder();
    await pass();
    expect(room.get()).toMatchObject({ status: 'ready', readOffsetOnEntry: 0 });
    room.markRead();
    expect(told.read).toEqual([
      ['1', 80, true],
      ['1', 2, true],
    ]);
  });
});

describe('the read marker', () => {
  it('moves to the newest message, or to the one that is given', async () => {
    const { room, link, told } = await live(page(1, 9));
    room.markRead(5);
    room.markRead();
    await pass(1_000);
    expect(told.read).toEqual([
      ['1', 5, false],
      ['1', 9, true],
    ]);
    expect(link.bodies).toEqual([
      { roomId: '1', offset: 5 },
      { roomId: '1', offset: 9 },
    ]);
  });

  it('moves to no message that is not there', async () => {
    const { room, link, told } = await live(page(1, 9));
    room.markRead(1_000);
    expect(told.read).toEqual([['1', 9, true]]);
    expect(link.bodies).toEqual([{ roomId: '1', offset: 9 }]);
    link.deliver(message(10));
    room.markRead(10);
    await pass(1_000);
    expect(told.read.at(-1)).toEqual(['1', 10, true]);
    expect(link.bodies.at(-1)).toEqual({ roomId: '1', offset: 10 });
  });

  it('does not move before the log is known', async () => {
    const { room, told, link } = entered();
    room.up(link.asLink);
    room.markRead(5);
    room.markRead();
    expect([told.read, link.sent]).toEqual([[], []]);
    await pass();
    room.markRead(5);
    expect(told.read).toEqual([['1', 3, true]]);
  });

  it('tells nobody what the server knew on entering', async () => {
    const { room, link, told } = await live();
    room.markRead(2);
    await pass(1_000);
    expect([told.read, link.sent]).toEqual([[], []]);
    room.markRead(3);
    expect(link.bodies).toEqual([{ roomId: '1', offset: 3 }]);
  });
});
