import type { ReactNode } from 'react';
import { isTime } from '../i18n/formats.js';
import { useWords } from '../i18n/language.js';

interface TimeProps {
  readonly at: number;
  readonly className?: string;
  readonly children: ReactNode;
}

/** When something happened, in full as the tooltip. Nothing for a time that is none. */
export function Time({ at, className, children }: TimeProps) {
  const { format } = useWords();
  if (!isTime(at)) return null;
  return (
    <time className={className} dateTime={new Date(at).toISOString()} title={format.full(at)}>
      {children}
    </time>
  );
}
