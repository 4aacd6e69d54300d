/** What is thrown in a microtask, where nobody but the page can catch it. */

import { vi } from 'vitest';

/** Returns the errors as they come; ends with `vi.restoreAllMocks()`. */
export function thrownLater(): unknown[] {
  const errors: unknown[] = [];
  const later = globalThis.queueMicrotask;
  vi.spyOn(globalThis, 'queueMicrotask').mockImplementation((work) => {
    later(() => {
      try {
        work();
      } catch (error) {
        errors.push(error);
      }
    });
  });
  return errors;
}
