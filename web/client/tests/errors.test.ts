import { expect, it } from 'vitest';
import { asChatError, ChatError, SignedOut } from '../src/errors.js';

it('errors are told apart by class, name and code', () => {
  const error = new ChatError('overloaded', 'Later.', true, 500, 503);
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({
    name: 'ChatError',
    code: 'overloaded',
    message: 'Later.',
    retryable: true,
    retryAfterMs: 500,
    status: 503,
  });
  expect(new ChatError('network', 'Gone.', true)).toMatchObject({
    retryAfterMs: null,
    status: null,
  });
  expect(new SignedOut()).toMatchObject({ name: 'SignedOut', message: 'Nobody is signed in.' });
  expect(new SignedOut('bye')).toBeInstanceOf(Error);
});

it('anything else that was thrown is a fault of ours, which may be tried again', () => {
  const error = new ChatError('overloaded', 'Later.', true);
  expect(asChatError(error)).toBe(error);
  for (const thrown of [new TypeError('x is undefined'), new SignedOut('x'), 'x', undefined]) {
    expect(asChatError(thrown)).toMatchObject({
      name: 'ChatError',
      code: 'internal',
      message: String(thrown),
      retryable: true,
    });
  }
});
