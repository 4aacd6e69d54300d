import type { Member } from '@allibe/client';
import { act } from 'react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openRoom } from '../src/routing/route.js';
import { Chat } from '../src/shell/Chat.js';
import { FakeClient } from './fake-client.js';
import { room } from './messages.js';
import { ALICE, findNamed, named, press, render, type } from './render.js';

const member = (user: string, role: Member['role'] = 'member'): Member => ({
  user,
  role,
  joinedAt: '2026-11-24T00:00:00Z',
  readOffset: 0,
});

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
  window.history.replaceState(null, '', '/');
});
afterEach(() => void vi.useRealTimers());

async function entered(client = new FakeClient()) {
  client.rooms.change({ rooms: [room({ role: 'owner' })] });
  client.members = [member('alice', 'owner'), member('bob')];
  const rendered = await render(<Chat account={ALICE} onSignOut={() => {}} />, client);
  await act(async () => openRoom('1'));
  const loads = () => client.calls.filter((call) => call === 'load members').length;
  return { ...rendered, loads };
}

describe('the members of a room', () => {
  it('are loaded once on entering, and not again for a panel that opens soon', async () => {
    const { loads } = await entered();
    expect(loads()).toBe(1);
    await press(named('2 members'));
    expect(named('Role of bob')).toBeDefined();
    expect(loads()).toBe(1);
  });

  it('are loaded again for a panel that opens later', async () => {
    const { client, loads } = await entered();
    client.members = [member('alice', 'owner'), member('carol')];
    vi.advanceTimersByTime(60_000);
    await press(named('2 members'));
    expect(loads()).toBe(2);
    expect(named('Role of carol')).toBeDefined();
    expect(findNamed('Role of bob')).toBeNull();
  });

  it('are loaded again after a change', async () => {
    const { client, loads } = await entered();
    await press(named('2 members'));
    client.members = [...client.members, member('carol')];
    await type(named('Invite by user ID'), 'carol');
    await press(named('Invite'));
    expect(client.calls).toContain('add 1 carol');
    expect(loads()).toBe(2);
    expect(named('Role of carol')).toBeDefined();
  });

  it('are loaded again, however fresh, when the log is another one: somebody was erased', async () => {
    const { client, loads } = await entered();
    client.members = [member('alice', 'owner')];
    await act(async () => client.entered.get('1')?.change({ room: room({ epoch: 'e2' }) }));
    expect(loads()).toBe(2);
    expect(named('1 member')).toBeDefined();
  });

  it('are those of the last answer that was asked for, whichever comes last', async () => {
    const client = new FakeClient();
    const answers: ((members: Member[]) => void)[] = [];
    client.http.members = () => new Promise((resolve) => answers.push(resolve));
    await entered(client);
    await press(named('Members'));
    expect(answers).toHaveLength(1);
    vi.advanceTimersByTime(60_000);
    await press(named('Close'));
    await press(named('Members'));
    expect(answers).toHaveLength(2);
    await act(async () => answers[1]?.([member('alice', 'owner')]));
    await act(async () => answers[0]?.([member('alice', 'owner'), member('bob')]));
    expect(named('1 member')).toBeDefined();
  });
});
