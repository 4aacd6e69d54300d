/** Whether new messages are followed: until the user scrolls up, and again at the end. */

/** Nearer to the end than this is at the end: less than a message is hidden. */
const END_PX = 48;

/** What is seen of the messages, in pixels. */
export interface Place {
  /** Of what is above the window. */
  readonly offset: number;
  /** Of the window. */
  readonly height: number;
  /** Of what is below it. */
  readonly toGo: number;
}

/**
 * Only who moves up in a window that stays as high leaves the end: all else that gets between (the
 * window or a message has another height) is not the user's doing. `before`: null at first.
 */
export function followsEnd(follows: boolean, before: Place | null, now: Place): boolean {
  if (now.toGo <= END_PX) return true;
  return follows && !(before && now.height === before.height && now.offset < before.offset);
}
