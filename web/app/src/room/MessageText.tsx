import { memo } from 'react';
import { linked } from './links.js';

/** A message's content: text as it was typed, and links. */
export const MessageText = memo(function MessageText({ text }: { text: string }) {
  return linked(text).map(({ text: piece, href }, index) =>
    href === null ? (
      piece
    ) : (
      <a
        // biome-ignore lint/suspicious/noArrayIndexKey: a text's pieces never move
        key={index}
        dir="auto"
        href={href}
        target="_blank"
        rel="noopener noreferrer nofollow"
      >
        {piece}
      </a>
    ),
  );
});
