/** Keys in base64url, as the server names them, and in bytes, as browsers do. */

export function fromBase64url(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replace(/-/g, '+').replace(/_/g, '/'));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

export function isSameKey(bytes: ArrayBuffer | null, text: string): boolean {
  if (bytes === null) return false;
  const expected = fromBase64url(text);
  const found = new Uint8Array(bytes);
  return found.length === expected.length && found.every((byte, at) => byte === expected[at]);
}
