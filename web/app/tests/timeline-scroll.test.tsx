import { act, useRef } from 'react';
import type { VirtualizerHandle } from 'virtua';
import { expect, it, vi } from 'vitest';
import { RowBuilder } from '../src/room/rows.js';
import { useTimelineScroll } from '../src/room/use-timeline-scroll.js';
import { message } from './messages.js';
import { render } from './render.js';

const rows = new RowBuilder().build({
  messages: [message(1)],
  outbox: [],
  user: 'alice',
  unreadAfter: null,
});
const older = { hasOlder: false, failed: false, canLoad: false, load() {} };

function AtTheEnd({ onAtEnd }: { onAtEnd: (atEnd: boolean) => void }) {
  const handle = useRef({
    scrollOffset: 0,
    scrollSize: 100,
    viewportSize: 100,
    findItemIndex: () => 1,
    scrollToIndex() {},
  } as unknown as VirtualizerHandle);
  const scroller = useRef({ clientHeight: 100 } as HTMLElement);
  useTimelineScroll({ scroller, handle, rows, older, onAtEnd });
  return null;
}

it('messages that are not shown any more have no end in view', async () => {
  const onAtEnd = vi.fn();
  const { show } = await render(<AtTheEnd onAtEnd={onAtEnd} />);
  await act(async () => await vi.waitFor(() => expect(onAtEnd).toHaveBeenLastCalledWith(true)));
  await show(null);
  expect(onAtEnd).toHaveBeenLastCalledWith(false);
});
