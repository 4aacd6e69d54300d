import { act } from 'react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BellButton } from '../src/notifications/BellButton.js';
import { MOMENT_MS } from '../src/notifications/gatherer.js';
import { Notifier } from '../src/notifications/Notifier.js';
import { choose, preferences } from '../src/preferences/preferences.js';
import { message, room } from './messages.js';
import { named, press, render } from './render.js';

class FakeNotification {
  static permission: NotificationPermission = 'default';
  static answer: NotificationPermission = 'granted';
  static asked = 0;
  static shown: FakeNotification[] = [];

  static async requestPermission() {
    FakeNotification.asked += 1;
    FakeNotification.permission = FakeNotification.answer;
    return FakeNotification.answer;
  }

  onclick: (() => void) | null = null;
  close = vi.fn();

  constructor(
    readonly title: string,
    readonly options: NotificationOptions,
  ) {
    FakeNotification.shown.push(this);
  }
}

beforeEach(() => {
  Object.assign(FakeNotification, {
    permission: 'default',
    answer: 'granted',
    asked: 0,
    shown: [],
  });
  vi.stubGlobal('Notification', FakeNotification);
  window.history.replaceState(null, '', '/');
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

async function page() {
  return await render(
    <>
      <BellButton />
      <Notifier rooms={[room({ roomId: '2', name: 'Friend Chat' })]} />
    </>,
  );
}

describe('the bell', () => {
  it('asks the browser on the press, not before', async () => {
    await page();
    expect(FakeNotification.asked).toBe(0);
    await press(named('Notifications'));
    expect(FakeNotification.asked).toBe(1);
    expect(named('Notifications').getAttribute('aria-pressed')).toBe('true');
    expect(preferences.get().notify).toBe(true);
    await press(named('Notifications'));
    expect(named('Notifications').getAttribute('aria-pressed')).toBe('false');
  });

  it('stays off, and says why, when the browser refuses', async () => {
    FakeNotification.answer = 'denied';
    const { container } = await page();
    await press(named('Notifications'));
    expect(named('Notifications').getAttribute('aria-pressed')).toBe('false');
    expect(container.textContent).toContain('blocked');
  });
});

describe('notifications', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const moment = () => act(async () => void vi.advanceTimersByTime(MOMENT_MS));

  const sent = message(1, { roomId: '2', sender: 'bob', senderName: 'Bob', content: 'Lunch?' });

  it('tell of messages in rooms that are not on the screen, and open the room', async () => {
    const { client } = await page();
    await press(named('Notifications'));
    act(() => client.emit('notification', { roomId: '2', message: sent, unreadCount: 1 }));
    await moment();
    const [shown] = FakeNotification.shown;
    expect(shown?.title).toBe('Friend Chat');
    expect(shown?.options).toMatchObject({ body: 'Bob: Lunch?', tag: '2' });
    act(() => shown?.onclick?.());
    expect(window.location.hash).toBe('#/rooms/2');
    expect(shown?.close).toHaveBeenCalled();
  });

  it('tell of nothing by themselves, even while the page is hidden: the server knows who looks', async () => {
    const { client } = await page();
    await press(named('Notifications'));
    vi.spyOn(document, 'hidden', 'get').mockReturnValue(true);
    act(() => client.emit('message', sent));
    await moment();
    expect(FakeNotification.shown).toHaveLength(0);
  });

  it.each([
    ['en', '30 new messages\nBob: No. 30'],
    ['ko', '새 메시지 30개\nBob: No. 30'],
  ] as const)('sum up what comes at once, one for each room (%s)', async (language, body) => {
    const { client } = await page();
    await press(named('Notifications'));
    act(() => choose({ language }));
    act(() => {
      for (let offset = 1; offset <= 30; offset += 1) {
        const one = { ...sent, offset, content: `No. ${offset}` };
        client.emit('notification', { roomId: '2', message: one, unreadCount: offset });
      }
      const elsewhere = { ...sent, roomId: '3' };
      client.emit('notification', { roomId: '3', message: elsewhere, unreadCount: 1 });
    });
    expect(FakeNotification.shown).toHaveLength(0);
    await moment();
    expect(FakeNotification.shown.map(({ options }) => options)).toEqual([
      { tag: '2', body },
      { tag: '3', body: 'Bob: Lunch?' },
    ]);
    act(() => client.emit('notification', { roomId: '2', message: sent, unreadCount: 31 }));
    await moment();
    expect(FakeNotification.shown[2]?.options.body).toBe('Bob: Lunch?');
  });

  it('end with the bell, also those that wait', async () => {
    const { client } = await page();
    await press(named('Notifications'));
    act(() => client.emit('notification', { roomId: '2', message: sent, unreadCount: 1 }));
    await press(named('Notifications'));
    await moment();
    expect(FakeNotification.shown).toHaveLength(0);
  });

  it('are not of a room that is muted', async () => {
    const { client } = await render(
      <>
        <BellButton />
        <Notifier rooms={[room({ roomId: '2', muted: true })]} />
      </>,
    );
    await press(named('Notifications'));
    act(() => client.emit('notification', { roomId: '2', message: sent, unreadCount: 1 }));
    await moment();
    expect(FakeNotification.shown).toHaveLength(0);
  });

  it('are not of what was read in the moment before the page was hidden', async () => {
    const rooms = [room({ roomId: '2', readOffset: sent.offset })];
    const { client } = await render([<BellButton key="b" />, <Notifier key="n" rooms={rooms} />]);
    await press(named('Notifications'));
    const next = { ...sent, offset: sent.offset + 1 };
    act(() => client.emit('notification', { roomId: '2', message: sent, unreadCount: 1 }));
    await moment();
    expect(FakeNotification.shown).toHaveLength(0);
    act(() => client.emit('notification', { roomId: '2', message: next, unreadCount: 1 }));
    await moment();
    expect(FakeNotification.shown).toHaveLength(1);
  });

  it('are not of entries of other types, which may have no content', async () => {
    const { client } = await page();
    await press(named('Notifications'));
    const { content: _, ...poll } = { ...sent, type: 'poll' };
    act(() => client.emit('notification', { roomId: '2', message: poll as never, unreadCount: 1 }));
    await moment();
    expect(FakeNotification.shown).toHaveLength(0);
  });

  it('do not come while the bell is off', async () => {
    const { client } = await page();
    act(() => client.emit('notification', { roomId: '2', message: sent, unreadCount: 1 }));
    await moment();
    expect(FakeNotification.shown).toHaveLength(0);
  });
});
