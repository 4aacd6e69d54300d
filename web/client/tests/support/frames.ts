/** STOMP 1.2 frames as the fake server reads and writes them. */

export interface Frame {
  readonly command: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const ESCAPED: Readonly<Record<string, string>> = {
  '\\\\': '\\',
  '\\n': '\n',
  '\\r': '\r',
  '\\c': ':',
};

/** Reads the frames of a chunk that holds whole ones; heart-beats are none. */
export function framesIn(chunk: string): Frame[] {
  return chunk
    .split('\0')
    .map((text) => text.replace(/^\n+/, ''))
    .filter((text) => text !== '')
    .map(frameIn);
}

/** Returns the frame as text; header values are escaped where the command wants that. */
export function frameText(
  command: string,
  headers: Readonly<Record<string, string | number>>,
  body = '',
): string {
  const lines = Object.entries(headers).map(
    ([name, value]) => `${name}:${command === 'CONNECTED' ? value : escaped(String(value))}`,
  );
  return `${[command, ...lines].join('\n')}\n\n${body}\0`;
}

function frameIn(text: string): Frame {
  const end = text.indexOf('\n\n');
  const [command = '', ...lines] = text.slice(0, end).split('\n');
  const raw = command === 'CONNECT';
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    const value = line.slice(colon + 1);
    // Of a repeated header the first counts.
    headers[line.slice(0, colon)] ??= raw ? value : unescaped(value);
  }
  return { command, headers, body: text.slice(end + 2) };
}

function escaped(value: string): string {
  return value
    .replace(/\\/g, '\\\\')
    .replace(/\n/g, '\\n')
    .replace(/\r/g, '\\r')
    .replace(/:/g, '\\c');
}

function unescaped(value: string): string {
  return value.replace(/\\./g, (pair) => ESCAPED[pair] ?? pair);
}
