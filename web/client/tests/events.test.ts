import { afterEach, describe, expect, it, vi } from 'vitest';
import { Events } from '../src/events.js';
import { thrownLater } from './support/thrown.js';

interface Kinds {
  number: number;
  word: string;
}

describe('events', () => {
  it('reach the listeners of their kind, in the order of listening', () => {
    const events = new Events<Kinds>();
    const told: unknown[] = [];
    events.on('number', (number) => told.push(['first', number]));
    events.on('number', (number) => told.push(['second', number]));
    events.on('word', (word) => told.push(word));
    events.emit('number', 1);
    expect(told).toEqual([
      ['first', 1],
      ['second', 1],
    ]);
  });

  it('reach nobody who has ended listening, and nobody twice', () => {
    const events = new Events<Kinds>();
    const listener = vi.fn();
    events.on('number', listener);
    const end = events.on('number', listener);
    events.emit('number', 1);
    end();
    end();
    events.emit('number', 2);
    events.emit('word', 'for nobody');
    expect(listener).toHaveBeenCalledExactlyOnceWith(1);
  });

  it('reach those who listened when they came, whatever the listeners do', () => {
    const events = new Events<Kinds>();
    const told: string[] = [];
    const end = events.on('number', () => {
      told.push('first');
      end();
      events.on('number', () => told.push('later'));
    });
    events.on('number', () => told.push('second'));
    events.emit('number', 1);
    expect(told).toEqual(['first', 'second']);
    events.emit('number', 2);
    expect(told).toEqual(['first', 'second', 'second', 'later']);
  });
});

describe('a listener that throws', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it('keeps nobody else from anything, and the page learns of it', async () => {
    const errors = thrownLater();
    const error = new Error('of the listener');
    const events = new Events<Kinds>();
    const other = vi.fn();
    events.on('number', () => {
      throw error;
    });
    events.on('number', other);
    events.emit('number', 1);
    expect(other).toHaveBeenCalledTimes(1);
    await Promise.resolve();
    expect(errors).toEqual([error]);
  });
});
