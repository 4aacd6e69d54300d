import type { Room } from '@allibe/client';
import { act } from 'react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { useNamesFrom } from '../src/people/people.js';
import { RoomList } from '../src/rooms/RoomList.js';
import { arrange } from '../src/ui/use-reorder.js';
import { DAY, message, room, TEN } from './messages.js';
import { render } from './render.js';

const rooms = (count: number): Room[] =>
  Array.from({ length: count }, (_, index) => {
    const roomId = `r${index}`;
    return room({ roomId, name: `Room ${index}`, lastMessage: 'Hi', lastMessageSender: 'bob' });
  });

function Learner({ name }: { name: string | null }) {
  useNamesFrom(name === null ? [] : [message(1, { sender: 'bob', senderName: name })]);
  return null;
}

const rendered: string[] = [];
vi.mock('../src/ui/Avatar.js', () => ({
  Avatar: ({ id }: { id: string }) => {
    rendered.push(id);
    return null;
  },
}));

/** The list with one of the rooms changed and on top. */
function withNews(before: readonly Room[], index: number): Room[] {
  const changed = { ...before[index], lastMessage: 'News' } as Room;
  return [changed, ...before.filter(({ roomId }) => roomId !== changed.roomId)];
}

const keysIn = (list: Element) =>
  [...list.children].map((child) => (child as HTMLElement).dataset.key);

describe('arrange', () => {
  function list(...keys: string[]) {
    const element = document.createElement('ul');
    for (const key of keys) {
      element.appendChild(document.createElement('li')).dataset.key = key;
    }
    return { element, moves: vi.spyOn(element, 'insertBefore') };
  }

  it('moves the one that comes to the top, and no other', () => {
    const { element, moves } = list('a', 'b', 'c', 'd');
    arrange(element, ['d', 'a', 'b', 'c']);
    expect(keysIn(element)).toEqual(['d', 'a', 'b', 'c']);
    expect(moves).toHaveBeenCalledOnce();
  });

  it.each([
    [['a', 'b', 'c'], 0],
    [['c', 'b', 'a'], 2],
    [['b', 'c', 'a'], 2],
  ])('into %j takes %d moves', (order, count) => {
    const { element, moves } = list('a', 'b', 'c');
    arrange(element, order);
    expect(keysIn(element)).toEqual(order);
    expect(moves).toHaveBeenCalledTimes(count);
  });
});

describe('a list of 500 rooms', () => {
  afterEach(() => void vi.restoreAllMocks());

  it('moves and renders the one room that has news', async () => {
    const before = rooms(500);
    const { container, show } = await render(<RoomList rooms={before} openRoomId={null} />);
    const list = container.querySelector('ul') as HTMLElement;
    expect(keysIn(list)).toEqual(before.map(({ roomId }) => roomId));
    const moves = vi.spyOn(list, 'insertBefore');
    rendered.length = 0;

    const after = withNews(before, 499);
    const element = list.lastElementChild;
    await show(<RoomList rooms={after} openRoomId={null} />);
    expect(keysIn(list)).toEqual(after.map(({ roomId }) => roomId));
    expect(list.firstElementChild).toBe(element);
    expect(element?.textContent).toContain('News');
    expect(moves).toHaveBeenCalledOnce();
    expect(rendered).toEqual(['r499']);
  });

  it('takes in new rooms and lets others go, in order', async () => {
    const before = rooms(5);
    const { container, show } = await render(<RoomList rooms={before} openRoomId={null} />);
    const after = [
      room({ roomId: 'a9' }),
      ...withNews(before.slice(1, 4), 2),
      room({ roomId: 'z' }),
    ];
    await show(<RoomList rooms={after} openRoomId={null} />);
    const list = container.querySelector('ul') as HTMLElement;
    expect(keysIn(list)).toEqual(['a9', 'r3', 'r1', 'r2', 'z']);
  });

  it('keeps the focus on the room that moves', async () => {
    const before = rooms(3);
    const { container, show } = await render(<RoomList rooms={before} openRoomId={null} />);
    const last = container.querySelector<HTMLElement>('#room-entry-r2');
    last?.focus();
    await show(<RoomList rooms={withNews(before, 2)} openRoomId={null} />);
    expect(document.activeElement).toBe(last);
  });

  it('has one clock, and no clock once it is gone', async () => {
    const start = vi.spyOn(window, 'setInterval');
    const stop = vi.spyOn(window, 'clearInterval');
    const { show } = await render(<RoomList rooms={rooms(500)} openRoomId={null} />);
    expect(start).toHaveBeenCalledTimes(1);
    await show(null);
    expect(stop).toHaveBeenCalledTimes(1);
  });

  it('calls the senders by their names once those are known', async () => {
    const list = rooms(2).map((each, index) => ({
      ...each,
      lastMessageSender: ['bob', 'carol'][index] ?? '',
    }));
    const page = (name: string | null) => (
      <>
        <Learner name={name} />
        <RoomList rooms={list} openRoomId={null} />
      </>
    );
    const { container, show } = await render(page(null));
    await show(page('Bob'));
    const texts = [...container.querySelectorAll('.room-entry__text')].map((e) => e.textContent);
    expect(texts).toEqual(['Bob: Hi', 'carol: Hi']);
  });
});

describe('at midnight', () => {
  beforeEach(() => void vi.useFakeTimers({ now: TEN }));
  afterEach(() => void vi.useRealTimers());

  it('today becomes yesterday', async () => {
    const list = [room({ lastMessageAt: new Date(TEN).toISOString() })];
    const { container } = await render(<RoomList rooms={list} openRoomId={null} />);
    const time = () => container.querySelector('time')?.textContent;
    expect(time()).toMatch(/10:00/);
    await act(async () => void vi.advanceTimersByTime(DAY));
    expect(time()).toBe('Yesterday');
  });
});

describe('the glide', () => {
  const HEIGHT = 60;
  let animated: [key: string, from: unknown][] = [];
  let reads = 0;

  beforeEach(() => {
    animated = [];
    reads = 0;
    const top = (element: HTMLElement) =>
      element.tagName === 'LI'
        ? [...(element.parentElement?.children ?? [])].indexOf(element) * HEIGHT
        : 0;
    vi.spyOn(HTMLElement.prototype, 'offsetTop', 'get').mockImplementation(function (
      this: HTMLElement,
    ) {
      reads += 1;
      return top(this);
    });
    vi.spyOn(HTMLElement.prototype, 'clientHeight', 'get').mockReturnValue(5 * HEIGHT);
    vi.spyOn(window, 'matchMedia').mockReturnValue({ matches: false } as MediaQueryList);
    HTMLElement.prototype.animate = function (this: HTMLElement, frames) {
      const [{ transform } = {}] = frames as { transform?: string }[];
      animated.push([this.dataset.key ?? '', transform]);
      return {} as Animation;
    };
  });
  afterEach(() => {
    vi.restoreAllMocks();
    Reflect.deleteProperty(HTMLElement.prototype, 'animate');
  });

  it('is of those in view, who are the only ones that are measured', async () => {
    const before = rooms(500);
    const { show } = await render(<RoomList rooms={before} openRoomId={null} />);
    expect(animated).toEqual([]);
    reads = 0;
    await show(<RoomList rooms={withNews(before, 400)} openRoomId={null} />);
    expect(animated).toEqual([
      // From below what one sees.
      ['r400', `translateY(${5 * HEIGHT}px)`],
      ['r0', `translateY(${-HEIGHT}px)`],
      ['r1', `translateY(${-HEIGHT}px)`],
      ['r2', `translateY(${-HEIGHT}px)`],
      ['r3', `translateY(${-HEIGHT}px)`],
    ]);
    expect(reads).toBeLessThan(20);
  });

  it('is not of a room that is new', async () => {
    const before = rooms(3);
    const { show } = await render(<RoomList rooms={before} openRoomId={null} />);
    await show(<RoomList rooms={[room({ roomId: 'new' }), ...before]} openRoomId={null} />);
    expect(animated.map(([key]) => key)).toEqual(['r0', 'r1', 'r2']);
  });

  it('is left out below the top, where the browser keeps what one sees in its place', async () => {
    const before = rooms(20);
    const { container, show } = await render(<RoomList rooms={before} openRoomId={null} />);
    container.scrollTop = 200;
    await show(<RoomList rooms={withNews(before, 19)} openRoomId={null} />);
    expect(animated).toEqual([]);
  });
});
