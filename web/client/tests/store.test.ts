import { afterEach, describe, expect, it, vi } from 'vitest';
import { Store } from '../src/store.js';
import { thrownLater } from './support/thrown.js';

function counting() {
  const made = { count: 0 };
  const store = new Store(() => {
    made.count += 1;
    return { count: made.count };
  });
  return { store, made };
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('a store', () => {
  it('makes a snapshot when it is asked for, and a new one only after a change', () => {
    const { store, made } = counting();
    expect(made.count).toBe(0);
    const first = store.get();
    expect(store.get()).toBe(first);
    store.changed();
    expect(made.count).toBe(1);
    expect(store.get()).toEqual({ count: 2 });
    expect(store.get()).not.toBe(first);
  });

  it('tells listeners once per turn, after it, however many changes there were', async () => {
    const { store } = counting();
    const seen: number[] = [];
    store.subscribe(() => seen.push(store.get().count));
    store.changed();
    store.get();
    store.changed();
    expect(seen).toEqual([]);
    await Promise.resolve();
    expect(seen).toEqual([2]);
    store.changed();
    await Promise.resolve();
    expect(seen).toEqual([2, 3]);
  });

  it('tells of a change that a listener makes', async () => {
    const { store } = counting();
    let told = 0;
    store.subscribe(() => {
      told += 1;
      if (told === 1) store.changed();
    });
    store.changed();
    await new Promise((resolve) => setTimeout(resolve));
    expect(told).toBe(2);
  });

  it('takes the same listener twice, and lets go of each on its own', async () => {
    const { store } = counting();
    const listener = vi.fn();
    const end = store.subscribe(listener);
    store.subscribe(listener);
    store.changed();
    await Promise.resolve();
    expect(listener).toHaveBeenCalledTimes(2);
    end();
    end();
    store.changed();
    await Promise.resolve();
    expect(listener).toHaveBeenCalledTimes(3);
  });

  it('tells the others although one throws', async () => {
    const errors = thrownLater();
    const { store } = counting();
    const other = vi.fn();
    store.subscribe(() => {
      throw new Error('of the listener');
    });
    store.subscribe(other);
    store.changed();
    await new Promise((resolve) => setTimeout(resolve));
    expect(other).toHaveBeenCalledTimes(1);
    expect(errors).toEqual([new Error('of the listener')]);
  });
});
