/**
 * Finds the links in a text. What is no http or https address stays text: content is never markup.
 *
 * Where an address ends is a guess where no blank follows. The guesses are those of Korean, where a
 * particle is written right behind the word: `https://example.com에서 보세요`.
 */

import { withoutControls } from '../i18n/bidi.js';

export interface Piece {
  readonly text: string;
  /** Where it leads, or null for mere text. */
  readonly href: string | null;
}

const ADDRESS = /\bhttps?:\/\/[^\s<>"'`]+/giu;
const AFTER_IT = new Set('.,:;!?…。、，！？·~*_\'"’”');
const CLOSING_OF = new Map(
  ['()', '[]', '{}', '（）'].map(([opening = '', closing = '']) => [opening, closing]),
);
const CLOSING = new Set(CLOSING_OF.values());

/**
 * A host in ASCII with more behind it. No top-level domain mixes ASCII with other letters, so
 * `.com에서` is `.com` and a particle, and `www.schön.de` is one host: its last label is whole.
 */
const HOST_AND_MORE =
  /^(https?:\/\/(?:[^/?#]*\.[a-z][a-z0-9-]+|localhost|(?:\d{1,3}\.){3}\d{1,3})(?::\d+)?)[^!-~]/iu;
const WHOLE_HOST = /^https?:\/\/[^/?#]*\.[a-z][a-z0-9-]+(?::\d+)?(?:[/?#]|$)/iu;

/**
 * A particle or the verb "to be", as the whole rest of the address, behind something in ASCII.
 *
 * Paths may hold Hangul, so `/a를` could be a page of that name. Hardly one is: whoever writes
 * "open https://example.com/a를" means `/a`, and a link that leads to `/a를` leads nowhere. Other
 * syllables stay (`/c언어`), and so does a particle behind Hangul (`/wiki/대한민국은`): there the
 * syllable may be the word's own, as in `/wiki/마을`.
 */
const PARTICLE =
  /(?<=[!-~])(?:[을를이가은는와과랑의도만나요야임]|이랑|하고|이나|(?:에|에서|에게|한테|로|으로|부터|까지|처럼|보다|라고|이라고)[는도만의요]?|입니다|이에요|예요|이야|이고|인데|이며)$/u;

/** The text in pieces: joined they are the text again, but for controls of direction in links. */
export function linked(text: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let done = 0;
  // A copy: where it goes on is set below.
  const addresses = new RegExp(ADDRESS);
  for (let found = addresses.exec(text); found !== null; found = addresses.exec(text)) {
    const raw = addressIn(found[0]);
    // What was left off may hold the next one: 보세요https://example.com/b
    addresses.lastIndex = found.index + Math.max(raw.length, 'http://'.length);
    // Such characters would show another address than the one it leads to.
    const address = withoutControls(raw);
    const href = hrefOf(address);
    if (href === null) continue;
    if (found.index > done) pieces.push({ text: text.slice(done, found.index), href: null });
    pieces.push({ text: address, href });
    done = found.index + raw.length;
  }
  if (done < text.length) pieces.push({ text: text.slice(done), href: null });
  return pieces;
}

/** What of it is the address. */
function addressIn(found: string): string {
  const host = WHOLE_HOST.test(found) ? null : HOST_AND_MORE.exec(found)?.[1];
  if (host != null) return host;
  const address = withoutEnding(found);
  const bare = address.replace(PARTICLE, '');
  return bare === address ? address : withoutEnding(bare);
}

/** Leaves off what belongs to the sentence: full stops, and brackets that the address did not open. */
function withoutEnding(address: string): string {
  const unopened = unopenedIn(address);
  let end = address.length;
  for (; end > 0; end -= 1) {
    const last = address[end - 1] ?? '';
    if (AFTER_IT.has(last)) continue;
    const count = unopened.get(last) ?? 0;
    if (count <= 0) break;
    unopened.set(last, count - 1);
  }
  return address.slice(0, end);
}

/** By closing bracket: how many more of them there are than opening ones. */
function unopenedIn(address: string): Map<string, number> {
  const unopened = new Map<string, number>();
  for (const character of address) {
    const closing = CLOSING_OF.get(character);
    if (closing !== undefined) unopened.set(closing, (unopened.get(closing) ?? 0) - 1);
    else if (CLOSING.has(character)) unopened.set(character, (unopened.get(character) ?? 0) + 1);
  }
  return unopened;
}

function hrefOf(address: string): string | null {
  if (!URL.canParse(address)) return null;
  const { href, hostname, protocol } = new URL(address);
  // "https://." can be parsed too: without a name there is nowhere to go.
  return /^https?:$/.test(protocol) && /[^.]/.test(hostname) ? href : null;
}
