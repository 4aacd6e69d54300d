import { describe, expect, it } from 'vitest';
import { CONTENT_BYTES, checkContent } from '../../src/outbox/content.js';

describe('content', () => {
  it.each(['a', ' a ', '\n\ta', '한', 'x'.repeat(CONTENT_BYTES), '한'.repeat(2_730)])(
    'may be %j',
    (content) => {
      expect(() => checkContent(content)).not.toThrow();
    },
  );

  it.each([
    ['', 'invalid_content'],
    [' \n\t\u00a0', 'invalid_content'],
    ['a\0b', 'invalid_content'],
    ['x'.repeat(CONTENT_BYTES + 1), 'content_too_long'],
    // Bytes count, not characters: three for each of these.
    ['한'.repeat(2_731), 'content_too_long'],
  ])('may not be %j', (content, code) => {
    expect(() => checkContent(content)).toThrow(
      expect.objectContaining({ name: 'ChatError', code, retryable: false }),
    );
  });
});
