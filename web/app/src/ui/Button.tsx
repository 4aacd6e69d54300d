/** Buttons with words, and buttons with an icon only, whose label is also the tooltip. */

import type { ComponentProps } from 'react';
import './Button.css';
import { Icon, type IconName } from './Icon.js';

interface ButtonProps extends ComponentProps<'button'> {
  readonly look?: 'primary' | 'plain' | 'danger';
  readonly icon?: IconName;
  /** Something is under way: it cannot be pressed again. */
  readonly busy?: boolean;
}

export function Button({ look = 'plain', icon, busy = false, children, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      className={`button button--${look} ${rest.className ?? ''}`}
      disabled={rest.disabled || busy}
      aria-busy={busy}
    >
      {icon && <Icon name={icon} size={18} />}
      {children}
    </button>
  );
}

interface IconButtonProps extends ComponentProps<'button'> {
  readonly icon: IconName;
  readonly label: string;
  /** Longer than the label, where there is more to say. */
  readonly hint?: string;
}

export function IconButton({ icon, label, hint, ...rest }: IconButtonProps) {
  return (
    <button
      type="button"
      aria-label={label}
      title={hint ?? label}
      {...rest}
      className={`icon-button ${rest.className ?? ''}`}
    >
      <Icon name={icon} />
    </button>
  );
}
