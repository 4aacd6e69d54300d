import { describe, expect, it, vi } from 'vitest';
import { Retry } from '../src/retry.js';
import { pass, virtualTime } from './support/time.js';

virtualTime();

function retrying(leastMs = 500, random = 0.5) {
  const times: number[] = [];
  const retry = new Retry(() => random, leastMs);
  const start = Date.now();
  return { retry, times, work: () => times.push(Date.now() - start) };
}

describe('work that is tried again', () => {
  it('is done after the least wait and half of 1, 2, 4 … s, up to half of 30', async () => {
    const { retry, times, work } = retrying();
    const waits: number[] = [];
    for (let failure = 0; failure < 7; failure += 1) {
      const before = Date.now();
      retry.later(work);
      await vi.advanceTimersToNextTimerAsync();
      waits.push(Date.now() - before - 500);
    }
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000]);
    expect(times).toHaveLength(7);
  });

  it('keeps to a longest wait of its own', async () => {
    const retry = new Retry(() => 0.5, 500, { baseMs: 1_000, mostMs: 8_000 });
    const waits: number[] = [];
    for (let failure = 0; failure < 5; failure += 1) {
      const before = Date.now();
      retry.later(() => {});
      await vi.advanceTimersToNextTimerAsync();
      waits.push(Date.now() - before - 500);
    }
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 4_000]);
  });

  it('waits at least as long as a failure says, though that is less than usual', async () => {
    const { retry, times, work } = retrying(500, 0);
    retry.later(work, 20_000);
    await pass(19_999);
    expect(times).toEqual([]);
    await pass(1);
    retry.later(work, 0);
    await pass();
    retry.later(work, null);
    await pass(500);
    expect(times).toEqual([20_000, 20_000, 20_500]);
  });

  it('is waiting until it is done, or stopped', async () => {
    const { retry, times, work } = retrying();
    expect(retry.isWaiting).toBe(false);
    let during: boolean | undefined;
    retry.later(() => {
      during = retry.isWaiting;
    });
    expect(retry.isWaiting).toBe(true);
    await pass(1_000);
    expect([during, retry.isWaiting]).toEqual([false, false]);
    retry.later(work);
    retry.stop();
    retry.stop();
    expect(retry.isWaiting).toBe(false);
    await pass(60_000);
    expect(times).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is done once, at the later time, where it failed again in between', async () => {
    const { retry, times, work } = retrying();
    retry.later(work);
    await pass(900);
    retry.later(work);
    await pass(60_000);
    expect(times).toEqual([2_400]);
  });

  it('waits shortly again after a success, and not because it was stopped', async () => {
    const { retry, times, work } = retrying();
    retry.later(work);
    retry.stop();
    retry.later(work);
    await pass(1_500);
    retry.succeeded();
    retry.later(work);
    await pass(1_000);
    expect(times).toEqual([1_500, 2_500]);
  });
});
