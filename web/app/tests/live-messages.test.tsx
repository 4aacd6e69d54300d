import { act } from 'react';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { QUIET_MS } from '../src/room/announcements.js';
import { LiveMessages } from '../src/room/LiveMessages.js';
import { message } from './messages.js';
import { render } from './render.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('the same words are announced each time that they come', async () => {
  const { client, container } = await render(<LiveMessages roomId="1" />);
  const region = container.querySelector('[aria-live=polite]');
  const said = [];
  for (const offset of [1, 2, 3]) {
    await act(async () => client.emit('message', message(offset, { content: 'Hello?' })));
    expect(region?.textContent).toBe('bob: Hello?');
    said.push(region?.firstElementChild);
    await act(async () => void vi.advanceTimersByTime(QUIET_MS + 1));
  }
  expect(new Set(said).size).toBe(3);
});

it('entries of other types are not announced: they may have no content', async () => {
  const { client, container } = await render(<LiveMessages roomId="1" />);
  const { content: _, ...poll } = message(1, { type: 'poll' });
  await act(async () => client.emit('message', poll as never));
  expect(container.querySelector('[aria-live=polite]')?.textContent).toBe('');
});
