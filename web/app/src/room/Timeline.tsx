/**
 * The room's messages: only what is near the window is in the document, however many there are.
 *
 * Not a live region although it is a log: what history brings must not be read aloud. New messages
 * are announced by `LiveMessages`.
 */

import { memo, useRef } from 'react';
import { Virtualizer, type VirtualizerHandle } from 'virtua';
import { useWords } from '../i18n/language.js';
import { usePeople } from '../people/people.js';
import { FloatingDay } from './FloatingDay.js';
import { few } from './few.js';
import { JumpToLatest } from './JumpToLatest.js';
import { MessageRow, type RowActions } from './MessageRow.js';
import { OlderRow, type OlderState } from './OlderRow.js';
import type { ReadersOf } from './readers.js';
import type { Entry, Row } from './rows.js';
import { useFresh } from './use-fresh.js';
import { useTimelineScroll } from './use-timeline-scroll.js';
import './Timeline.css';

interface TimelineProps {
  readonly roomName: string;
  readonly rows: readonly Row[];
  readonly older: OlderState;
  readonly actions: RowActions;
  readonly readersOf: ReadersOf;
  /** Tells whether the newest message is in view. */
  readonly onAtEnd: (atEnd: boolean) => void;
}

/** Pixels that are rendered above and below the window: a flick must not show blank space. */
const BUFFER_PX = 800;

/** Not rendered again for what passes by, unless somebody has read on. */
export const Timeline = memo(function Timeline(props: TimelineProps) {
  const { roomName, rows, older, actions, readersOf, onAtEnd } = props;
  const { t } = useWords();
  const { nameOf } = usePeople();
  const scroller = useRef<HTMLDivElement>(null);
  const handle = useRef<VirtualizerHandle>(null);
  const scroll = useTimelineScroll({ scroller, handle, rows, older, onAtEnd });
  const isFresh = useFresh(rows, scroll.slice);

  const readBy = ({ own, offset }: Entry) => {
    const readers = own && offset !== null ? readersOf(offset) : [];
    return {
      readCount: readers.length,
      readBy: readers.length > 0 ? t.room.readBy(few(readers, nameOf)) : null,
    };
  };

  const item = (row: Row | null) =>
    row === null ? (
      <OlderRow key="older" older={older} />
    ) : (
      <MessageRow
        key={row.entry.key}
        row={row}
        name={row.entry.senderName ?? nameOf(row.entry.sender)}
        isLast={row === rows.at(-1)}
        isFresh={isFresh(row)}
        {...readBy(row.entry)}
        actions={actions}
      />
    );

  const jump = () => {
    scroll.toEnd();
    // The button goes: the focus must not go with it.
    scroller.current?.focus({ preventScroll: true });
  };

  return (
    <div className="timeline">
      <div
        ref={scroller}
        className="timeline__scroller"
        role="log"
        aria-live="off"
        aria-label={t.room.messages(roomName)}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard must be able to scroll it
        tabIndex={0}
        data-opening={scroll.isOpening || undefined}
      >
        <div className="timeline__space" />
        <Virtualizer
          key={scroll.slice}
          ref={handle}
          scrollRef={scroller}
          data={[null, ...rows]}
          shift={scroll.shift}
          bufferSize={BUFFER_PX}
          onScroll={scroll.onScroll}
          onResize={scroll.onResize}
        >
          {item}
        </Virtualizer>
      </div>
      <FloatingDay day={scroll.day} scroller={scroller} />
      <JumpToLatest isShown={scroll.isAway} count={scroll.newBelow} onJump={jump} />
    </div>
  );
});
