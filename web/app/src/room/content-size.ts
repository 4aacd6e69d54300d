/** How much of a message's 8 KiB is used. In bytes, as the server counts. */

export const CONTENT_BYTES = 8_192;

/** From how few bytes left on it is worth saying. */
const NEAR_BYTES = 512;

const encoder = new TextEncoder();

export interface ContentSize {
  /** Negative: that much too long. */
  readonly left: number;
  readonly near: boolean;
  readonly over: boolean;
}

export function contentSize(text: string): ContentSize {
  const left = CONTENT_BYTES - encoder.encode(text).length;
  return { left, near: left <= NEAR_BYTES, over: left < 0 };
}

/** The text as it is sent: without empty lines around it. Indentation stays. */
export function toSend(text: string): string {
  return text.replace(/^(?:[^\S\n]*\n)+/u, '').trimEnd();
}
