/** A labelled text field with its hint and its error, tied together for screen readers. */

import { type ComponentProps, useId } from 'react';
import './Field.css';

interface FieldProps extends ComponentProps<'input'> {
  readonly label: string;
  readonly hint?: string;
  readonly error?: string | null;
  /** Has the focus when its dialog opens. */
  readonly 'data-focus-first'?: boolean;
}

export function Field({ label, hint, error = null, ...input }: FieldProps) {
  const id = useId();
  const below = error ?? hint;
  return (
    <div className="field">
      <label className="field__label" htmlFor={id}>
        {label}
      </label>
      <input
        autoComplete="off"
        spellCheck={false}
        {...input}
        id={id}
        className="field__input"
        aria-invalid={error !== null}
        aria-describedby={below ? `${id}-below` : undefined}
      />
      {below && (
        <p
          id={`${id}-below`}
          className={error ? 'field__error' : 'field__hint'}
          role={error ? 'alert' : undefined}
        >
          {below}
        </p>
      )}
    </div>
  );
}
