import { expect, it } from 'vitest';
import { ChatError, SignedOut } from '../src/errors.js';

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
