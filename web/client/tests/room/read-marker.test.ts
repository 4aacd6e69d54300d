import { describe, expect, it, vi } from 'vitest';
import { ReadMarker } from '../../src/room/read-marker.js';
import { BROKEN, FakeLink, NOT_A_MEMBER, UNAVAILABLE } from '../support/fake-link.js';
import { pass, virtualTime } from '../support/time.js';

virtualTime();

const MOMENT_MS = 300;

function marking() {
  const moves: number[] = [];
  const marker = new ReadMarker('1', (offset) => moves.push(offset));
  const link = new FakeLink();
  const told = () => link.bodies.map((body) => (body as { offset: number }).offset);
  return { marker, link, moves, told };
}

function marked() {
  const all = marking();
  all.marker.up(all.link.asLink);
  return all;
}

describe('a read marker', () => {
  it('is told at once, and then once in a moment, with the last of it', async () => {
    const { marker, link, moves, told } = marked();
    marker.move(1);
    expect(link.sent).toMatchObject([
      { destination: '/app/read', body: { roomId: '1', offset: 1 } },
    ]);
    for (const offset of [2, 3, 4]) marker.move(offset);
    await pass(MOMENT_MS - 1);
    expect(told()).toEqual([1]);
    await pass(1);
    expect(told()).toEqual([1, 4]);
    expect(moves).toEqual([1, 2, 3, 4]);
    await pass(MOMENT_MS);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('moves forward only', async () => {
    const { marker, moves, told } = marked();
    marker.move(5);
    marker.move(3);
    marker.move(5);
    await pass(1_000);
    expect([moves, told()]).toEqual([[5], [5]]);
  });

  it('does not tell the server what it knows', async () => {
    const { marker, moves, told } = marked();
    marker.known(7);
    marker.move(7);
    marker.move(6);
    await pass(1_000);
    expect([moves, told()]).toEqual([[], []]);
    marker.move(8);
    expect(told()).toEqual([8]);
  });

  it('is told over the next connection where there is none', async () => {
    const { marker, link, moves, told } = marking();
    marker.move(3);
    marker.move(4);
    expect(moves).toEqual([3, 4]);
    await pass(1_000);
    marker.up(link.asLink);
    expect(told()).toEqual([4]);
  });

  it('is told again over the next connection where the answer was cut off', async () => {
    const { marker, link, told } = marked();
    marker.move(3);
    link.answer(BROKEN);
    marker.down();
    await pass(1_000);
    marker.up(link.asLink);
    expect(told()).toEqual([3, 3]);
    link.answer();
    marker.down();
    marker.up(link.asLink);
    expect(told()).toEqual([3, 3]);
  });

  it('that is refused for now is told again, for good it is not', async () => {
    const { marker, link, told } = marked();
    marker.move(3);
    link.answer(UNAVAILABLE);
    await pass(MOMENT_MS);
    expect(told()).toEqual([3, 3]);
    link.answer(NOT_A_MEMBER);
    await pass(60_000);
    expect(told()).toEqual([3, 3]);
  });

  it('that was refused late does not undo a later one', async () => {
    const { marker, link, told } = marked();
    marker.move(3);
    await pass(MOMENT_MS);
    marker.move(4);
    link.sent[0]?.settle(UNAVAILABLE, {});
    await pass(1_000);
    expect(told()).toEqual([3, 4]);
  });

  it('begins anew with a new log', () => {
    const { marker, told } = marked();
    marker.known(100);
    marker.reset();
    marker.move(2);
    expect(told()).toEqual([2]);
  });

  it('tells the last of it on closing, and leaves no timer', async () => {
    const { marker, told } = marked();
    marker.move(1);
    marker.move(2);
    marker.close();
    expect(told()).toEqual([1, 2]);
    expect(vi.getTimerCount()).toBe(0);
    marker.move(3);
    expect(told()).toEqual([1, 2]);
  });
});
