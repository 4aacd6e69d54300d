/** Says that there is no connection, once that has lasted, and what can be done about it. */

import { useConnection } from '@allibe/react';
import { useEffect, useState } from 'react';
import type { Dictionary } from '../i18n/dictionary.js';
import { useWords } from '../i18n/language.js';
import { Icon } from '../ui/Icon.js';
import { type Banner, bannerFor } from './banner.js';
import './ConnectionBanner.css';

export function ConnectionBanner({ onSignOut }: { onSignOut: () => void }) {
  const { t } = useWords();
  const connection = useConnection();
  const now = useTimeWhile(connection.lostAt !== null || connection.retryAt !== null);
  const banner = bannerFor(connection, now);
  // While it slides away it still says what it said.
  const [last, setLast] = useState(banner);
  if (banner && banner !== last && !same(banner, last)) setLast(banner);
  const shown = banner ?? last;

  return (
    <div className="banner" data-open={banner !== null} data-kind={shown?.kind}>
      <div className="banner__row" inert={banner === null}>
        <span className="banner__text">
          {shown && <Icon name={shown.kind === 'offline' ? 'wifiOff' : 'alert'} size={18} />}
          {/* Only what does not count down: each change is read aloud. */}
          <span role="status">{banner && textOf(t, banner)}</span>
          {banner?.kind === 'reconnecting' && banner.seconds !== null && (
            <span className="banner__count" aria-hidden="true">
              {t.connection.inSeconds(banner.seconds)}
            </span>
          )}
        </span>
        {banner?.kind === 'reconnecting' && banner.seconds !== null && (
          <button type="button" className="banner__action" onClick={connection.retry}>
            {t.connection.tryNow}
          </button>
        )}
        {banner?.kind === 'refused' && (
          <button type="button" className="banner__action" onClick={connection.retry}>
            {t.retry}
          </button>
        )}
        {(banner?.kind === 'session-ended' || banner?.kind === 'refused') && (
          <button type="button" className="banner__action" onClick={onSignOut}>
            {t.connection.signInAgain}
          </button>
        )}
      </div>
    </div>
  );
}

function textOf(t: Dictionary, banner: Banner): string {
  switch (banner.kind) {
    case 'connecting':
      return t.connection.connecting;
    case 'reconnecting':
      return t.connection.reconnecting;
    case 'offline':
      return t.connection.offline;
    case 'session-ended':
      return t.connection.sessionEnded;
    case 'refused':
      return t.connection.refused(banner.code);
  }
}

function same(a: Banner, b: Banner | null): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** The time, four times a second while that matters. */
function useTimeWhile(matters: boolean): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!matters) return;
    const tick = () => setNow(Date.now());
    tick();
    const timer = window.setInterval(tick, 250);
    return () => window.clearInterval(timer);
  }, [matters]);
  return now;
}
