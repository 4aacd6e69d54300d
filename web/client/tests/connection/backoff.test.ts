import { describe, expect, it } from 'vitest';
import { BACKOFF, backoff } from '../../src/connection/backoff.js';

/** The greatest number below 1. */
const ALMOST_ONE = 1 - Number.EPSILON / 2;

describe('backoff', () => {
  it.each([
    [0, 1_000],
    [1, 2_000],
    [2, 4_000],
    [4, 16_000],
    [5, 30_000],
    [1_000, 30_000],
  ])('after %i failures is anything from nothing up to %i ms', (failures, ceiling) => {
    expect(backoff(failures, 0, () => 0)).toBe(0);
    expect(backoff(failures, 0, () => 0.5)).toBe(ceiling / 2);
    expect(backoff(failures, 0, () => ALMOST_ONE)).toBe(ceiling);
  });

  it('comes on top of the least wait, which the longest wait does not cut', () => {
    expect(backoff(0, 5_000, () => 0)).toBe(5_000);
    expect(backoff(0, 5_000, () => 0.5)).toBe(5_500);
    expect(backoff(100, 45_000, () => 0.5)).toBe(60_000);
  });

  it('keeps to the limits that it is given', () => {
    expect(backoff(1, 0, () => 0.5, { baseMs: 10, mostMs: 1_000 })).toBe(10);
    expect(backoff(10, 0, () => 0.5, { baseMs: 10, mostMs: 1_000 })).toBe(500);
    expect(BACKOFF).toEqual({ baseMs: 1_000, mostMs: 30_000 });
  });
});
