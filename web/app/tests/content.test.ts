import { describe, expect, it } from 'vitest';
import { contentSize, toSend } from '../src/room/content-size.js';
import { isEmojiOnly } from '../src/room/emoji.js';

describe('contentSize', () => {
  it('counts bytes of UTF-8, as the server does', () => {
    expect(contentSize('가'.repeat(2730))).toEqual({ left: 2, near: true, over: false });
    expect(contentSize('가'.repeat(2731))).toEqual({ left: -1, near: true, over: true });
    expect(contentSize('a'.repeat(8192))).toMatchObject({ left: 0, over: false });
  });

  it('is worth a word only near the limit', () => {
    expect(contentSize('a'.repeat(7679)).near).toBe(false);
    expect(contentSize('a'.repeat(7680)).near).toBe(true);
  });
});

describe('toSend', () => {
  it('leaves off blank lines around, not the indentation', () => {
    expect(toSend('\n \n  if x:\n    y\n \n')).toBe('  if x:\n    y');
  });

  it('leaves nothing of mere blanks', () => {
    expect(toSend(' \n\t ')).toBe('');
  });
});

describe('isEmojiOnly', () => {
  it.each(['🎉', '👍🏽', '👨‍👩‍👧‍👦', '🇰🇷', '☀️', '🎉 🎉🎉'])('takes %s', (text) => {
    expect(isEmojiOnly(text)).toBe(true);
  });

  it.each(['', ' ', '1', '#', '1️⃣ one', 'ok 👍', '🎉🎉🎉🎉', '가', ':)'])('leaves %j', (text) => {
    expect(isEmojiOnly(text)).toBe(false);
  });
});
