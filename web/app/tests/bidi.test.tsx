import { describe, expect, it } from 'vitest';
import { isolated } from '../src/i18n/bidi.js';
import { MemberRow } from '../src/members/MemberRow.js';
import { MessageRow } from '../src/room/MessageRow.js';
import { RowBuilder } from '../src/room/rows.js';
import { RoomList } from '../src/rooms/RoomList.js';
import { initialsOf } from '../src/ui/look.js';
import { message, room } from './messages.js';
import { named, press, render } from './render.js';

const EVIL = 'Eve\u202egpj.exe';

/** What says that the text has its own direction. */
function island(container: Element, text: string): Element | null {
  const walker = document.createTreeWalker(container, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    if (node.textContent?.includes(text)) {
      return node.parentElement?.closest('bdi, [dir=auto]') ?? null;
    }
  }
  throw new Error(`${text} is nowhere`);
}

describe('what runs from right to left, or turns round what follows', () => {
  it('stays in its place in the list of rooms', async () => {
    const rooms = [
      room({ name: EVIL, lastMessage: 'שלום', lastMessageSender: 'مريم', unreadCount: 2 }),
    ];
    const { container } = await render(<RoomList rooms={rooms} openRoomId={null} />);
    const name = island(container, EVIL);
    const sender = island(container, 'مريم');
    const text = island(container, 'שלום');
    expect(name?.contains(container.querySelector('time'))).toBe(false);
    // What stands in <bdi> does not decide on the direction of what stands round it.
    expect(sender?.matches('bdi')).toBe(true);
    expect(text?.contains(container.querySelector('.badge'))).toBe(false);
    expect(text?.textContent).toBe('مريم: שלום');
  });

  it('stays in its place among the messages', async () => {
    const messages = [message(1, { content: `${EVIL}\u202d https://example.com/a` })];
    const [row] = new RowBuilder().build({ messages, outbox: [], user: 'me', unreadAfter: null });
    if (!row) throw new Error('no row');
    const actions = { resend() {}, discard() {} };
    const { container } = await render(
      <MessageRow
        row={row}
        name={EVIL}
        isLast={false}
        isFresh={false}
        actions={actions}
        readCount={0}
        readBy={null}
      />,
    );
    expect(island(container, EVIL)?.matches('.message__sender')).toBe(true);
    const text = container.querySelector('.bubble__text');
    expect(text?.getAttribute('dir')).toBe('auto');
    expect(text?.contains(container.querySelector('time'))).toBe(false);
    expect(text?.querySelector('a')?.getAttribute('dir')).toBe('auto');
  });

  it('stays in its place among the members, and in questions about them', async () => {
    const member = { user: EVIL, role: 'member', joinedAt: '', readOffset: 0 } as const;
    const nothing = async () => true;
    const { container } = await render(
      <ul>
        <MemberRow member={member} own="owner" onRole={nothing} onRemove={nothing} />
      </ul>,
    );
    expect(container.querySelector('.member__name bdi')?.textContent).toBe(EVIL);
    await press(named('Remove \u2068Evegpj.exe\u2069'));
    expect(container.querySelector('.confirm p')?.textContent).toBe(
      'Remove \u2068Evegpj.exe\u2069 from this room?',
    );
  });

  it('is made an island where there is text only, and nothing else is', () => {
    expect(isolated('Bob')).toBe('Bob');
    expect(isolated('박지우 👩‍🚀')).toBe('박지우 👩‍🚀');
    expect(isolated('שרה')).toBe('\u2068שרה\u2069');
    expect(isolated('a\u202eb\u2066')).toBe('\u2068ab\u2069');
  });

  it('is no letter of an avatar', () => {
    expect(initialsOf('\u202eeve mallory')).toBe('EM');
  });
});
