import { expect, it } from 'vitest';
import { newClientMessageId } from '../../src/outbox/ids.js';

it('makes ids of 32 hexadecimal digits, all of them different', () => {
  const ids = Array.from({ length: 1_000 }, newClientMessageId);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
  expect(new Set(ids).size).toBe(1_000);
});
