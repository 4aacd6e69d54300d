import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Announcement, Announcer, QUIET_MS } from '../src/room/announcements.js';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function announcer() {
  const said: Announcement[] = [];
  return { said, announcer: new Announcer((announcement) => said.push(announcement)) };
}

describe('Announcer', () => {
  it('says the first message at once', () => {
    const { said, announcer: a } = announcer();
    a.add({ sender: 'bob', text: 'Hi' });
    expect(said).toEqual([{ sender: 'bob', text: 'Hi', count: 1 }]);
  });

  it('sums up what comes shortly after', () => {
    const { said, announcer: a } = announcer();
    for (const text of ['one', 'two', 'three']) a.add({ sender: 'bob', text });
    expect(said).toHaveLength(1);
    vi.advanceTimersByTime(QUIET_MS);
    expect(said[1]).toEqual({ sender: 'bob', text: 'three', count: 2 });
  });

  it('is ready for the next one after a quiet while', () => {
    const { said, announcer: a } = announcer();
    a.add({ sender: 'bob', text: 'one' });
    vi.advanceTimersByTime(QUIET_MS);
    a.add({ sender: 'bob', text: 'two' });
    expect(said).toHaveLength(2);
  });

  it('says nothing after the end, and nothing endlessly long', () => {
    const { said, announcer: a } = announcer();
    a.add({ sender: 'bob', text: 'x'.repeat(5000) });
    expect(said[0]?.text).toHaveLength(200);
    a.add({ sender: 'bob', text: 'late' });
    a.stop();
    vi.advanceTimersByTime(QUIET_MS);
    expect(said).toHaveLength(1);
  });
});
