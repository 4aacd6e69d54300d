/** The row above the oldest message that is there: more is coming, could not come, or is not. */

import { useWords } from '../i18n/language.js';
import { Button } from '../ui/Button.js';

export interface OlderState {
  readonly hasOlder: boolean;
  readonly failed: boolean;
  /** There is more, and it is neither on its way nor did it just fail. */
  readonly canLoad: boolean;
  readonly load: () => void;
}

export function OlderRow({ older }: { older: OlderState }) {
  const { t } = useWords();
  return (
    <div className="older">
      {older.failed ? (
        <>
          <span role="alert">{t.room.loadOlderFailed}</span>
          <Button icon="retry" onClick={older.load}>
            {t.retry}
          </Button>
        </>
      ) : older.hasOlder ? (
        <>
          <span className="spinner" />
          <span className="visually-hidden">{t.loading}</span>
        </>
      ) : (
        t.room.start
      )}
    </div>
  );
}
