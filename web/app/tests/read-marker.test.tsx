import type { RoomSnapshot } from '@allibe/client';
import type { UseRoomResult } from '@allibe/react';
import { act } from 'react';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { useReadMarker } from '../src/room/use-read-marker.js';
import { message, snapshot } from './messages.js';
import { render } from './render.js';

const window_ = { focused: true, hidden: false };
const read: number[] = [];
const markRead = (offset?: number) => void read.push(offset ?? -1);
let setAtEnd: (atEnd: boolean) => void = () => {};

function Room({ given }: { given: Partial<RoomSnapshot> }) {
  setAtEnd = useReadMarker({ ...snapshot(given), markRead } as UseRoomResult);
  return null;
}

async function look(change: Partial<typeof window_>) {
  Object.assign(window_, change);
  await act(async () => void document.dispatchEvent(new Event('visibilitychange')));
}

beforeEach(() => {
  Object.assign(window_, { focused: true, hidden: false });
  read.length = 0;
  vi.spyOn(document, 'hasFocus').mockImplementation(() => window_.focused);
  vi.spyOn(document, 'hidden', 'get').mockImplementation(() => window_.hidden);
});

describe('the read marker', () => {
  it('moves to the newest message while that is in view, and on with each one', async () => {
    const { show } = await render(<Room given={{ messages: [message(1), message(2)] }} />);
    expect(read).toEqual([]);
    await act(async () => setAtEnd(true));
    expect(read).toEqual([2]);
    await show(<Room given={{ messages: [message(1), message(2), message(3)] }} />);
    expect(read).toEqual([2, 3]);
  });

  it('stays where it is while one has scrolled up', async () => {
    const { show } = await render(<Room given={{ messages: [message(1)] }} />);
    await act(async () => setAtEnd(true));
    await act(async () => setAtEnd(false));
    await show(<Room given={{ messages: [message(1), message(2)] }} />);
    expect(read).toEqual([1]);
  });

  it.each([{ focused: false }, { hidden: true }])(
    'waits for somebody to look: %j',
    async (away) => {
      await look(away);
      await render(<Room given={{ messages: [message(1)] }} />);
      await act(async () => setAtEnd(true));
      expect(read).toEqual([]);
      await look({ focused: true, hidden: false });
      expect(read).toEqual([1]);
    },
  );

  it.each<Partial<RoomSnapshot>>([
    { status: 'ended' },
    { status: 'loading' },
    { readOffsetOnEntry: null },
  ])('is not moved in a room that is not there, or not all: %j', async (given) => {
    await render(<Room given={{ ...given, messages: [message(1)] }} />);
    await act(async () => setAtEnd(true));
    expect(read).toEqual([]);
  });
});
