/** Escape leaves the room, unless it belongs to something else that is open or being typed. */

import { useEffect } from 'react';
import { closeRoom } from '../routing/route.js';

export function useEscape(): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || event.defaultPrevented || event.isComposing) return;
      // Dialogs and menus close on the same key, after this.
      if (document.querySelector('dialog[open], :popover-open') !== null) return;
      // In the search field it empties the field.
      if (event.target instanceof HTMLInputElement && event.target.value !== '') return;
      closeRoom();
    };
    document.addEventListener('keydown', pressed);
    return () => document.removeEventListener('keydown', pressed);
  }, []);
}
