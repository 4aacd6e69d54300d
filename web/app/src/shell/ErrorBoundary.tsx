/** What one sees instead of an empty page when a fault of the page's own ends all rendering. */

import { Component, type ReactNode } from 'react';
import { LanguageProvider, useWords } from '../i18n/language.js';
import { forgetRoom } from '../routing/route.js';
import { Button } from '../ui/Button.js';
import { Icon } from '../ui/Icon.js';
import { State } from '../ui/State.js';
import './ErrorBoundary.css';

interface ErrorBoundaryProps {
  readonly children: ReactNode;
}

/** A class: React has no hook for it. */
export class ErrorBoundary extends Component<ErrorBoundaryProps, { readonly broken: boolean }> {
  override state = { broken: false };

  static getDerivedStateFromError() {
    return { broken: true };
  }

  override render(): ReactNode {
    if (!this.state.broken) return this.props.children;
    return (
      <LanguageProvider>
        <Broken />
      </LanguageProvider>
    );
  }
}

function Broken() {
  const { t } = useWords();
  const reload = () => {
    // Without the room: if it is what breaks the page, it would at once break the next one too.
    forgetRoom();
    window.location.reload();
  };
  return (
    <main className="broken">
      <State
        alert
        picture={<Icon name="alert" size={40} />}
        title={t.broken.title}
        hint={t.broken.hint}
      >
        <Button look="primary" icon="retry" onClick={reload}>
          {t.broken.reload}
        </Button>
      </State>
    </main>
  );
}
