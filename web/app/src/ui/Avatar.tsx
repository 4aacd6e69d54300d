/** A person (round) or a room (rounded square). Decoration: the name stands beside it. */

import type { CSSProperties } from 'react';
import './Avatar.css';
import { hue, initialsOf } from './look.js';

interface AvatarProps {
  readonly id: string;
  readonly name: string;
  readonly shape?: 'person' | 'room';
  readonly size?: number;
}

export function Avatar({ id, name, shape = 'person', size = 44 }: AvatarProps) {
  const style = { ...hue(id), '--size': `${size}px` } as CSSProperties;
  return (
    <span className={`avatar avatar--${shape}`} style={style} aria-hidden="true">
      {initialsOf(name)}
    </span>
  );
}
