/** What stands where contents would be: nothing there yet, failed, not allowed. */

import type { ReactNode } from 'react';
import './State.css';

interface StateProps {
  readonly picture?: ReactNode;
  readonly title: string;
  readonly hint?: string;
  readonly alert?: boolean;
  readonly children?: ReactNode;
}

export function State({ picture, title, hint, alert = false, children }: StateProps) {
  return (
    <div className="state" role={alert ? 'alert' : undefined}>
      {picture && <div className="state__picture">{picture}</div>}
      <p className="state__title">{title}</p>
      {hint && <p className="state__hint">{hint}</p>}
      {children && <div className="state__actions">{children}</div>}
    </div>
  );
}
