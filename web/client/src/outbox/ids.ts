/** Ids of messages: 32 hexadecimal digits at random. `crypto.randomUUID` wants HTTPS, this not. */

export function newClientMessageId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
