import { describe, expect, it } from 'vitest';
import { followsEnd, type Place } from '../src/room/follows-end.js';

const place = (offset: number, height: number, size = 2_000): Place => ({
  offset,
  height,
  toGo: size - height - offset,
});
const END = place(1_400, 600);

describe('new messages are followed', () => {
  it('at the end, however one came there', () => {
    expect(followsEnd(false, place(0, 600), END)).toBe(true);
    expect(followsEnd(false, null, place(1_352, 600))).toBe(true);
    expect(followsEnd(false, place(1_000, 600), place(1_000, 1_000))).toBe(true);
  });

  it('until one scrolls up', () => {
    expect(followsEnd(true, END, place(1_351, 600))).toBe(false);
    expect(followsEnd(false, place(1_000, 600), place(1_200, 600))).toBe(false);
    expect(followsEnd(false, null, place(1_000, 600))).toBe(false);
  });

  it('when the window got lower or higher', () => {
    expect(followsEnd(true, END, place(1_400, 300))).toBe(true);
    expect(followsEnd(true, END, place(1_300, 650))).toBe(true);
    expect(followsEnd(true, END, place(1_350, 650))).toBe(true);
  });

  it('when the messages got higher', () => {
    expect(followsEnd(true, END, place(1_400, 600, 2_300))).toBe(true);
    expect(followsEnd(true, END, place(1_500, 600, 2_300))).toBe(true);
  });

  it('while the place that the list jumps to is not reached', () => {
    expect(followsEnd(true, null, place(0, 600))).toBe(true);
  });
});
