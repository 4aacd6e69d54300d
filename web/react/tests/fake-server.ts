/**
 * As much of a server as a real ChatClient needs to come up: sockets that answer each frame with
 * its receipt, and HTTP with one empty room. Counts what was opened.
 */

/** Has the members of a WebSocket that stompjs uses. */
export class FakeSocket {
  binaryType = 'blob';
  readyState = 0;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  /** Frames that the client sent, as `SUBSCRIBE /topic/rooms/1`. */
  readonly frames: string[] = [];

  constructor() {
    setTimeout(() => {
      this.readyState = 1;
      this.onopen?.();
    });
  }

  send(text: string): void {
    const [command] = text.split('\n');
    const header = (name: string) => new RegExp(`\n${name}:(.*)`).exec(text)?.[1];
    this.frames.push([command, header('destination')].filter(Boolean).join(' '));
    const receipt = header('receipt');
    if (command === 'CONNECT') this.#answer('CONNECTED\nversion:1.2\nuser-name:alice');
    if (receipt) this.#answer(`RECEIPT\nreceipt-id:${receipt}\nx-offset:0\nx-epoch:e1`);
  }

  /** What the server pushes: a message of the room's log. */
  push(roomId: string, entry: unknown): void {
    const headers = `destination:/topic/rooms/${roomId}\nsubscription:room-${roomId}\nmessage-id:m`;
    this.onmessage?.({ data: `MESSAGE\n${headers}\n\n${JSON.stringify(entry)}\0` });
  }

  close(): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    setTimeout(() => this.onclose?.({ code: 1000, reason: '' }));
  }

  #answer(head: string): void {
    setTimeout(() => this.onmessage?.({ data: `${head}\n\n\0` }));
  }
}

export class FakeServer {
  readonly sockets: FakeSocket[] = [];
  readonly requests: string[] = [];

  readonly webSocket = (): WebSocket => {
    const socket = new FakeSocket();
    this.sockets.push(socket);
    return socket as unknown as WebSocket;
  };

  readonly fetch = async (url: RequestInfo | URL): Promise<Response> => {
    const path = new URL(String(url)).pathname;
    this.requests.push(path);
    if (path.endsWith('/rooms')) return Response.json([]);
    if (path.endsWith('/messages')) {
      return Response.json({ messages: [], epoch: 'e1', lastOffset: 0 });
    }
    const createdAt = '2026-11-24T10:00:00Z';
    const roomId = path.split('/').at(-1);
    return Response.json({ roomId, name: 'Room', createdAt, readOffset: 0, epoch: 'e1' });
  };
}
