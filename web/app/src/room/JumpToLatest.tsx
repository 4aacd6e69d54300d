import { useWords } from '../i18n/language.js';
import { Icon } from '../ui/Icon.js';

interface JumpToLatestProps {
  readonly isShown: boolean;
  /** New messages below the window. */
  readonly count: number;
  readonly onJump: () => void;
}

/** The way back to the end, once one has scrolled up. */
export function JumpToLatest({ isShown, count, onJump }: JumpToLatestProps) {
  const { t } = useWords();
  if (!isShown) return null;
  return (
    <button
      type="button"
      className="jump"
      aria-label={t.room.jump(count)}
      title={t.room.jump(count)}
      onClick={onJump}
    >
      <Icon name="down" />
      {count > 0 && <span className="badge jump__count">{count > 999 ? '999+' : count}</span>}
    </button>
  );
}
