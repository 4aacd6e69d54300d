/** One row of the room: a message, with what begins there (a day, the unread ones) above it. */

import { memo, useState } from 'react';
import { useWords } from '../i18n/language.js';
import { Avatar } from '../ui/Avatar.js';
import { useToday } from '../ui/clock.js';
import { hue } from '../ui/look.js';
import { Time } from '../ui/Time.js';
import { isEmojiOnly } from './emoji.js';
import { FailedActions, MessageState } from './MessageState.js';
import { MessageText } from './MessageText.js';
import type { Entry, Row } from './rows.js';
import './MessageRow.css';

export interface RowActions {
  resend(clientMessageId: string): void;
  discard(clientMessageId: string): void;
}

interface MessageRowProps {
  readonly row: Row;
  readonly name: string;
  readonly isLast: boolean;
  /** It came while one was looking: it may draw the eye. Only its value on mounting counts. */
  readonly isFresh: boolean;
  /** How many have read it, where it is one's own, and who that is, in words. */
  readonly readCount: number;
  readonly readBy: string | null;
  readonly actions: RowActions;
}

export const MessageRow = memo(function MessageRow(props: MessageRowProps) {
  const { row, name, isLast, actions } = props;
  const { entry } = row;
  const { t } = useWords();
  const [fresh] = useState(props.isFresh);
  const classes = [
    'message',
    entry.own ? 'message--own' : 'message--other',
    row.startsGroup && 'message--first',
    row.endsGroup && 'message--end',
    isLast && 'message--last',
    fresh && 'message--fresh',
  ];

  return (
    <article className={classes.filter(Boolean).join(' ')}>
      {row.startsDay && <Day at={entry.day} />}
      {row.startsUnread && (
        <div className="unread-line">
          <span>{t.room.newMessages}</span>
        </div>
      )}
      <div className="message__line">
        {!entry.own && (
          <span className="message__avatar">
            {row.startsGroup && <Avatar id={entry.sender} name={name} size={34} />}
          </span>
        )}
        <div className="message__column">
          <Sender entry={entry} name={name} isShown={!entry.own && row.startsGroup} />
          <Bubble entry={entry} readCount={props.readCount} readBy={props.readBy} />
          {entry.state === 'failed' && <FailedActions entry={entry} actions={actions} />}
        </div>
      </div>
    </article>
  );
});

function Sender({ entry, name, isShown }: { entry: Entry; name: string; isShown: boolean }) {
  const { t } = useWords();
  if (!isShown)
    return (
      <span className="visually-hidden">
        <bdi>{entry.own ? t.you : name}</bdi>:{' '}
      </span>
    );
  return (
    <p className="message__sender" dir="auto" style={hue(entry.sender)}>
      {name}
    </p>
  );
}

type BubbleProps = Pick<MessageRowProps, 'readCount' | 'readBy'> & { readonly entry: Entry };

function Bubble({ entry, readCount, readBy }: BubbleProps) {
  const { t, format } = useWords();
  const classes = [
    'bubble',
    isEmojiOnly(entry.content) && 'bubble--emoji',
    entry.state === 'failed' && 'bubble--failed',
  ];
  return (
    <div className={classes.filter(Boolean).join(' ')}>
      <span className="bubble__text" dir="auto">
        {entry.content === '' ? <em>{t.room.erased}</em> : <MessageText text={entry.content} />}
      </span>
      <span className="bubble__meta">
        <Time at={entry.at}>{format.time(entry.at)}</Time>
        {entry.own && <MessageState state={entry.state} readCount={readCount} readBy={readBy} />}
      </span>
    </div>
  );
}

function Day({ at }: { at: number }) {
  const { format } = useWords();
  const today = useToday();
  return (
    <div className="day">
      <span className="day__name">{format.day(at, today)}</span>
    </div>
  );
}
