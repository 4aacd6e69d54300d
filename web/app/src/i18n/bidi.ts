/**
 * Texts of others inside of ours: what runs from right to left must not take its surroundings with
 * it, least of all by a control character that turns round all that follows.
 *
 * In markup `<bdi>` and `dir="auto"` see to that; this is for where there is text only.
 */

/** LRE, RLE, PDF, LRO, RLO, and LRI, RLI, FSI, PDI: they turn the text after them. */
const CONTROLS = /[\u202a-\u202e\u2066-\u2069]/gu;

/** Those, the marks, and the blocks of the scripts that run from right to left. */
const MAY_TURN =
  /[\u200e\u200f\u202a-\u202e\u2066-\u2069\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/** The text as an island for the sentence that it is put into; the same text where it is harmless. */
export function isolated(text: string): string {
  return MAY_TURN.test(text) ? `\u2068${withoutControls(text)}\u2069` : text;
}

export function withoutControls(text: string): string {
  return text.replace(CONTROLS, '');
}
