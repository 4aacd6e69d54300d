/** `/api/chat` of the fake server, as a `fetch`. */

import type { FakeRoom } from './fake-log.js';
import type { FakeServer } from './fake-server.js';

export interface ApiRequest {
  readonly method: string;
  /** After `/api/chat`, with the query. */
  readonly path: string;
  readonly token: string;
  readonly body: unknown;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body?: unknown;
  readonly link?: string;
  /** Instead of `body`: what is no JSON. */
  readonly text?: string;
}

/** `network`: the request fails. `hang`: it is never answered. `lateMs`: it is, but late. */
export type ApiFault = 'network' | 'hang' | { readonly lateMs: number } | ApiAnswer;

interface Trouble {
  readonly at: RegExp;
  readonly fault: ApiFault;
  left: number;
}

export class FakeApi {
  readonly requests: ApiRequest[] = [];
  /** Time until an answer (ms): of the network, there and back. */
  delayMs = 10;
  /** What a hotel's network answers to everything, in place of the server; null for none. */
  portal: string | null = null;
  /** In base64url; null: it pushes nothing. */
  pushKey: string | null = 'AQID';
  /** Rooms on a page of the list. */
  pageSize = 500;
  readonly #server: FakeServer;
  readonly #troubles: Trouble[] = [];

  constructor(server: FakeServer) {
    this.#server = server;
  }

  /** Requests with this in their path. */
  asked(part: string): ApiRequest[] {
    return this.requests.filter((request) => request.path.includes(part));
  }

  trouble(at: RegExp, fault: ApiFault, times = Number.POSITIVE_INFINITY): void {
    this.#troubles.push({ at, fault, left: times });
  }

  heal(): void {
    this.#troubles.length = 0;
    this.portal = null;
  }

  readonly fetch = (async (address: string, init: RequestInit) => {
    const url = new URL(address);
    const path = url.pathname.replace(/^.*\/api\/chat/, '') + url.search;
    const method = init.method ?? 'GET';
    const token = new Headers(init.headers).get('Authorization')?.replace(/^Bearer /, '') ?? '';
    const body = typeof init.body === 'string' ? JSON.parse(init.body) : undefined;
    this.requests.push({ method, path, token, body });
    if (this.portal !== null) {
      await wait(this.delayMs);
      return response({ status: 200, text: this.portal });
    }
    const trouble = this.#troubles.find((one) => one.at.test(`${method} ${path}`) && one.left > 0);
    if (trouble) trouble.left -= 1;
    if (trouble?.fault === 'hang') return await never(init.signal);
    if (trouble?.fault === 'network' || !this.#server.reachable) {
      await wait(this.delayMs);
      throw new TypeError('fetch failed');
    }
    // Half of the time on the way there: what is answered is how things stood in the middle.
    await wait(this.delayMs / 2);
    const own = this.#answer(method, url, path, token, body);
    const fault = trouble?.fault ?? { lateMs: 0 };
    await wait(this.delayMs / 2 + ('lateMs' in fault ? fault.lateMs : 0));
    return response('lateMs' in fault ? own : fault);
  }) as typeof fetch;

  #answer(method: string, url: URL, path: string, token: string, body: unknown): ApiAnswer {
    const problem = this.#server.problemWith(token);
    if (problem !== null) return refusal(401, problem);
    const user = this.#server.claimsOf(token).sub;
    if (method === 'GET' && /^\/rooms(\?|$)/.test(path)) return this.#rooms(user, url);
    if (method === 'POST' && path === '/rooms') {
      const { roomId = 'new', name } = body as { roomId?: string; name: string };
      const room = this.#server.room(roomId, [user]);
      room.name = name;
      return { status: 201, body: room.asSeenBy(user) };
    }
    const own = this.#own(method, path, body);
    if (own !== null) return own;
    const [, roomId = '', rest = ''] = /^\/rooms\/([^/?]+)(.*)$/.exec(path) ?? [];
    const room = this.#server.rooms.get(decodeURIComponent(roomId));
    if (room === undefined) return refusal(404, 'unknown_room');
    if (!room.members.has(user)) return refusal(403, 'not_a_member');
    if (rest === '') return { status: 200, body: room.asSeenBy(user) };
    if (rest === '/mute') return this.#mute(room, method);
    if (rest.startsWith('/members')) return membersAnswer(room, method, rest, body);
    return { status: 200, body: room.page(url.searchParams) };
  }

  /** What is the user's, not a room's. */
  #own(method: string, path: string, body: unknown): ApiAnswer | null {
    if (path === '/push-key') {
      if (this.pushKey === null) return refusal(404, 'push_off');
      return { status: 200, body: { key: this.pushKey } };
    }
    if (path === '/push-subscriptions') return { status: 204 };
    if (path !== '/notification-settings') return null;
    return { status: 200, body: method === 'PUT' ? body : { quietHours: null } };
  }

  #mute(room: FakeRoom, method: string): ApiAnswer {
    room.muted = method === 'PUT';
    return { status: 204 };
  }

  #rooms(user: string, url: URL): ApiAnswer {
    const mine = [...this.#server.rooms.values()].filter((room) => room.members.has(user));
    const from = Number(url.searchParams.get('after') ?? 0);
    const to = from + this.pageSize;
    const answer = { status: 200, body: mine.slice(from, to).map((room) => room.asSeenBy(user)) };
    if (to >= mine.length) return answer;
    return { ...answer, link: `<http://internal/x/rooms?limit=500&after=${to}>; rel="next"` };
  }
}

function membersAnswer(room: FakeRoom, method: string, rest: string, body: unknown): ApiAnswer {
  const one = (user: string, role = 'member') => ({
    user,
    role,
    joinedAt: room.createdAt,
    readOffset: room.read.get(user) ?? 0,
  });
  if (method === 'GET') return { status: 200, body: [...room.members].map((user) => one(user)) };
  if (method === 'DELETE') return { status: 204 };
  const named = decodeURIComponent(rest.replace(/^\/members\/?/, ''));
  const { user = named, role } = body as { user?: string; role: string };
  return { status: method === 'POST' ? 201 : 200, body: one(user, role) };
}

function refusal(status: number, code: string): ApiAnswer {
  return { status, body: { code, detail: code, retryable: status >= 500 } };
}

/** As much of a `Response` as is used; a real one reads its body in real time. */
function response({ status, body, link, text: raw }: ApiAnswer): Response {
  const headers = new Headers(link === undefined ? {} : { Link: link });
  const text = async () => raw ?? (body === undefined ? '' : JSON.stringify(body));
  return { status, ok: status < 300, headers, text } as Response;
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function never(signal: AbortSignal | null | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason));
  });
}
