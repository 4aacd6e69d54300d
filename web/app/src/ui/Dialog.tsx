/**
 * A modal dialog on the browser's own `<dialog>`, which traps the focus and gives it back.
 *
 * It is open as long as it is mounted. Escape, the close button and a click beside it ask the
 * owner to unmount it.
 */

import { type ReactNode, useEffect, useId, useLayoutEffect, useRef } from 'react';
import { useWords } from '../i18n/language.js';
import { IconButton } from './Button.js';
import './Dialog.css';

interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  /** `side`: along the right edge, for what is longer than a form. */
  readonly place?: 'centre' | 'side';
  readonly children: ReactNode;
}

export function Dialog({ title, onClose, place = 'centre', children }: DialogProps) {
  const { t } = useWords();
  const titleId = useId();
  const ref = useRef<HTMLDialogElement>(null);

  useLayoutEffect(() => {
    const dialog = ref.current;
    dialog?.showModal();
    // Else the browser takes the first thing that can have it: the close button.
    dialog?.querySelector<HTMLElement>('[data-focus-first]')?.focus();
    // Closed before it goes: only then does the browser give the focus back.
    return () => dialog?.close();
  }, []);

  useEffect(() => {
    const dialog = ref.current;
    if (!dialog) return;
    const cancelled = (event: Event) => {
      event.preventDefault();
      onClose();
    };
    // The backdrop belongs to the dialog's element, the contents to its children.
    const pressed = (event: PointerEvent) => {
      if (event.target === dialog) onClose();
    };
    dialog.addEventListener('cancel', cancelled);
    dialog.addEventListener('pointerdown', pressed);
    return () => {
      dialog.removeEventListener('cancel', cancelled);
      dialog.removeEventListener('pointerdown', pressed);
    };
  }, [onClose]);

  return (
    <dialog ref={ref} className={`dialog dialog--${place}`} aria-labelledby={titleId}>
      <div className="dialog__frame">
        <header className="dialog__head">
          <h2 id={titleId} className="dialog__title">
            {title}
          </h2>
          <IconButton icon="close" label={t.close} onClick={onClose} />
        </header>
        <div className="dialog__body">{children}</div>
      </div>
    </dialog>
  );
}
