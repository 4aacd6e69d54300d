import { afterEach, describe, expect, it, vi } from 'vitest';

/** Another page: memory is empty, the tab's storage is not. */
async function page() {
  vi.resetModules();
  return await import('../src/room/drafts.js');
}

afterEach(() => {
  vi.restoreAllMocks();
  sessionStorage.clear();
});

describe('drafts', () => {
  it('are kept per user and room, over a reload', async () => {
    const first = await page();
    first.keepDraft('alice', '1', 'half a sen');
    first.keepDraft('alice', '2', 'another');
    const second = await page();
    expect(second.draftOf('alice', '1')).toBe('half a sen');
    expect(second.draftOf('alice', '2')).toBe('another');
    expect(second.draftOf('bob', '1')).toBe('');
  });

  it('leave nothing behind once they are empty', async () => {
    const { keepDraft } = await page();
    keepDraft('alice', '1', 'x');
    keepDraft('alice', '1', '');
    expect(sessionStorage.length).toBe(0);
  });

  it('live without storage as long as the page', async () => {
    const { draftOf, keepDraft } = await page();
    vi.spyOn(window, 'sessionStorage', 'get').mockImplementation(() => {
      throw new DOMException('denied', 'SecurityError');
    });
    keepDraft('alice', '1', 'x');
    expect(draftOf('alice', '1')).toBe('x');
  });
});
