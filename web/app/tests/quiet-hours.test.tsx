import { describe, expect, it, vi } from 'vitest';
import { QuietHours } from '../src/notifications/QuietHours.js';
import { MuteButton } from '../src/room/MuteButton.js';
import { FakeClient } from './fake-client.js';
import { room } from './messages.js';
import { findNamed, named, press, render, type } from './render.js';

const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;
const ELSEWHERE = ZONE === 'Asia/Seoul' ? 'Europe/Berlin' : 'Asia/Seoul';
const SWITCH = 'Send me nothing at night';

async function dialog(client = new FakeClient()) {
  const onClose = vi.fn();
  return { onClose, ...(await render(<QuietHours onClose={onClose} />, client)) };
}

const toggle = () =>
  press(document.querySelector('input[type=checkbox]') ?? document.createElement('i'));

describe('quiet hours', () => {
  it('are chosen by the clocks of where one is', async () => {
    const { client, onClose, container } = await dialog();
    expect(container.textContent).toContain(SWITCH);
    expect(findNamed('From')).toBeNull();
    await toggle();
    await type(named('From'), '23:30');
    await press(named('Save'));
    expect(client.quietHours).toEqual({ from: '23:30', to: '07:00', timeZone: ZONE });
    expect(onClose).toHaveBeenCalled();
  });

  it('are shown as they are, and turned off', async () => {
    const client = new FakeClient();
    client.quietHours = { from: '21:00', to: '06:00', timeZone: 'Asia/Seoul' };
    await dialog(client);
    expect((named('To') as HTMLInputElement).value).toBe('06:00');
    await toggle();
    await press(named('Save'));
    expect(client.quietHours).toBeNull();
  });

  it('keep the time zone that they were chosen in, and say which', async () => {
    const client = new FakeClient();
    client.quietHours = { from: '21:00', to: '06:00', timeZone: ELSEWHERE };
    const { container } = await dialog(client);
    expect(container.textContent).toContain(`Times of ${ELSEWHERE}`);
    await type(named('From'), '22:30');
    await press(named('Save'));
    expect(client.quietHours).toEqual({ from: '22:30', to: '06:00', timeZone: ELSEWHERE });
  });

  it("take this device's time zone when they are told to", async () => {
    const client = new FakeClient();
    client.quietHours = { from: '21:00', to: '06:00', timeZone: ELSEWHERE };
    const { container } = await dialog(client);
    const [, zone] = container.querySelectorAll<HTMLInputElement>('input[type=checkbox]');
    expect(zone?.labels?.[0]?.textContent).toBe(`Use this device's time zone (${ZONE})`);
    await press(zone as HTMLElement);
    expect(container.textContent).toContain(`Times of ${ZONE}`);
    await press(named('Save'));
    expect(client.quietHours).toEqual({ from: '21:00', to: '06:00', timeZone: ZONE });
  });

  it("ask for no time zone where theirs is this device's", async () => {
    const client = new FakeClient();
    client.quietHours = { from: '21:00', to: '06:00', timeZone: ZONE };
    const { container } = await dialog(client);
    expect(container.textContent).toContain(`Times of ${ZONE}`);
    expect(container.querySelectorAll('input[type=checkbox]')).toHaveLength(1);
  });

  it('have a beginning and another end', async () => {
    const { client, container, onClose } = await dialog();
    await toggle();
    await type(named('To'), '22:00');
    expect(container.querySelector('[role=alert]')?.textContent).toContain('different');
    await press(named('Save'));
    expect(client.quietHours).toBeNull();
    expect(onClose).not.toHaveBeenCalled();
  });

  it('that cannot be loaded or saved say why', async () => {
    const client = new FakeClient();
    client.http.notificationSettings = () => Promise.reject(new Error('away'));
    const { container } = await dialog(client);
    expect(container.querySelector('[role=alert]')?.textContent).toBe('Something went wrong.');
    expect((named('Save') as HTMLButtonElement).disabled).toBe(true);
  });
});

describe('the mute button', () => {
  it('says what is, and changes it', async () => {
    const client = new FakeClient();
    client.rooms.change({ rooms: [room()] });
    const { show } = await render(<MuteButton roomId="1" muted={false} />, client);
    expect(named('Mute room').getAttribute('aria-pressed')).toBe('false');
    await press(named('Mute room'));
    await show(<MuteButton roomId="1" muted={true} />);
    expect(named('Mute room').getAttribute('aria-pressed')).toBe('true');
    await press(named('Mute room'));
    expect(client.calls).toEqual(['mute 1 true', 'mute 1 false']);
  });

  it('says what fails', async () => {
    const client = new FakeClient();
    client.rooms.mute = () => Promise.reject(new Error('away'));
    const { container } = await render(<MuteButton roomId="1" muted={false} />, client);
    await press(named('Mute room'));
    expect(container.textContent).toContain('Something went wrong.');
  });
});
