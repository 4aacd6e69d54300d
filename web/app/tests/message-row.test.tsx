import { ChatError } from '@allibe/client';
import { describe, expect, it } from 'vitest';
import { MessageRow } from '../src/room/MessageRow.js';
import { RowBuilder, type RowsOf } from '../src/room/rows.js';
import { message, waiting } from './messages.js';
import { named, press, render } from './render.js';

async function row(given: Partial<RowsOf>, readCount = 0, readBy: string | null = null) {
  const calls: string[] = [];
  const actions = {
    resend: (id: string) => void calls.push(`resend ${id}`),
    discard: (id: string) => void calls.push(`discard ${id}`),
  };
  const [built] = new RowBuilder().build({
    messages: [],
    outbox: [],
    user: 'alice',
    unreadAfter: null,
    ...given,
  });
  if (!built) throw new Error('no row');
  const ui = (
    <MessageRow
      row={built}
      name="Bob"
      isLast={false}
      isFresh={false}
      actions={actions}
      readCount={readCount}
      readBy={readBy}
    />
  );
  return { calls, ...(await render(ui)) };
}

describe('MessageRow', () => {
  it('never takes content for markup', async () => {
    const content = '<img src=x onerror="alert(1)"><b>bold</b> javascript:alert(1)';
    const { container } = await row({ messages: [message(1, { content })] });
    expect(container.querySelector('.bubble__text')?.textContent).toBe(content);
    expect(container.querySelector('img, b, .bubble a')).toBeNull();
  });

  it('says so where the message was erased with its sender', async () => {
    const erased = message(1, { content: '', sender: '*deleted*' });
    const { container } = await row({ messages: [erased] });
    expect(container.querySelector('.bubble__text')?.textContent).toBe('Deleted message');
  });

  it('opens links elsewhere, and tells them nothing', async () => {
    const content = 'see https://example.com/x.';
    const { container } = await row({ messages: [message(1, { content })] });
    const link = container.querySelector('.bubble a');
    expect(link?.getAttribute('href')).toBe('https://example.com/x');
    expect(link?.getAttribute('rel')).toBe('noopener noreferrer nofollow');
    expect(link?.getAttribute('target')).toBe('_blank');
  });

  it('shows a message whose time cannot be read, without a time', async () => {
    const { container } = await row({ messages: [message(1, { sentAt: 'never' })] });
    expect(container.querySelector('.bubble__text')?.textContent).toBe('message 1');
    expect(container.querySelector('time, .day')).toBeNull();
  });

  it('says whose message it is, also inside of a group', async () => {
    const { container } = await row({ messages: [message(1)] });
    expect(container.querySelector('article')?.textContent).toContain('Bob');
    const own = await row({ messages: [message(1, { sender: 'alice' })] });
    expect(own.container.querySelector('article')?.textContent).toContain('You');
  });

  it('says who has read an own message, and how many where they are several', async () => {
    const messages = [message(1, { sender: 'alice' })];
    const state = (container: Element) => container.querySelector('.message-state');
    const sent = await row({ messages });
    expect(state(sent.container)?.textContent).toBe('Sent');
    const one = await row({ messages }, 1, 'Read by Bob');
    expect(state(one.container)?.textContent).toBe('Read by Bob');
    expect(state(one.container)?.querySelector('.icon--checks')).not.toBeNull();
    const two = await row({ messages }, 2, 'Read by Bob and Carol');
    expect(state(two.container)?.textContent).toBe('2Read by Bob and Carol');
    expect(state(two.container)?.getAttribute('title')).toBe('Read by Bob and Carol');
  });

  it('says that a message waits', async () => {
    const { container } = await row({ outbox: [waiting('c-1')] });
    expect(container.textContent).toContain('Sending');
  });

  it('offers to send a failed message again, or to drop it', async () => {
    const error = new ChatError('not_allowed', '', false);
    const { calls, container } = await row({
      outbox: [waiting('c-1', { state: 'failed', error })],
    });
    expect(container.textContent).toContain('Not sent: You may not do that in this room.');
    await press(named('Send again'));
    await press(named('Discard'));
    expect(calls).toEqual(['resend c-1', 'discard c-1']);
  });
});
