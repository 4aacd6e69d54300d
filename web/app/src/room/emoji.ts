/** Whether a message is nothing but a few emoji, which are shown large. */

const EMOJI =
  /^(?:\p{Extended_Pictographic}|\p{Emoji_Component}|\p{Regional_Indicator}|\s|\u200d|\ufe0f)+$/u;
const SHOWS_PICTURE = /\p{Extended_Pictographic}|\p{Regional_Indicator}{2}/u;
const MOST = 3;

export function isEmojiOnly(text: string): boolean {
  // Digits are emoji components, a family of four is 11 code units.
  if (text.length > MOST * 16 || /[\d#*]/.test(text)) return false;
  if (!EMOJI.test(text) || !SHOWS_PICTURE.test(text)) return false;
  const letters = [...new Intl.Segmenter().segment(text.replace(/\s/gu, ''))];
  return letters.length <= MOST;
}
