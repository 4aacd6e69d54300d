/** Finds the links in a text. What is no http or https address stays text: content is never markup. */

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

/** The text in pieces; joined they are the text again. */
export function linked(text: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let done = 0;
  for (const { 0: found, index } of text.matchAll(ADDRESS)) {
    const address = withoutEnding(found);
    const href = hrefOf(address);
    if (href === null) continue;
    if (index > done) pieces.push({ text: text.slice(done, index), href: null });
    pieces.push({ text: address, href });
    done = index + address.length;
  }
  if (done < text.length) pieces.push({ text: text.slice(done), href: null });
  return pieces;
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
