/** What may be written: the server's own rules, so that a refusal is told at once. */

import { ChatError } from '../errors.js';

/** Most bytes of a message's content, as UTF-8. */
export const CONTENT_BYTES = 8192;

/** Throws `ChatError` `invalid_content` or `content_too_long`. */
export function checkContent(content: string): void {
  if (content.trim() === '' || content.includes('\0')) {
    throw new ChatError(
      'invalid_content',
      'The content is empty or contains a NUL character.',
      false,
    );
  }
  if (new TextEncoder().encode(content).length > CONTENT_BYTES) {
    throw new ChatError(
      'content_too_long',
      `The content is longer than ${CONTENT_BYTES} bytes.`,
      false,
    );
  }
}
