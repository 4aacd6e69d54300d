/** The HTTP side: rooms, history, members, notifications. Every call rejects with `ChatError` only. */

import { ChatError, SignedOut } from './errors.js';
import { fieldsOf, isEntry } from './room/entry.js';
import type { Tokens } from './tokens.js';
import type { HistoryPage, Member, NotificationSettings, Role, Room } from './types.js';

/** Longest wait for a whole answer; the server takes 15 s to make one at most. */
const ANSWER_MS = 20_000;

/** Entries on a page of a list: as many as the server gives. */
const PAGE = 500;

/** Most pages of a list that are read: 10,000 rooms or members. */
const MOST_PAGES = 20;

export interface HttpOptions {
  /** Address of `/api/chat`, without a slash at the end. */
  readonly url: string;
  readonly tokens: Tokens;
  readonly fetch: typeof fetch;
}

export interface NewRoom {
  readonly name: string;
  readonly roomId?: string;
  /** User ids; at most 100. */
  readonly members?: readonly string[];
}

export interface PageRequest {
  readonly before?: number;
  readonly after?: number;
  readonly limit: number;
}

export class Http {
  readonly #options: HttpOptions;

  constructor(options: HttpOptions) {
    this.#options = options;
  }

  /** All rooms of the user, the latest activity first. */
  async rooms(): Promise<Room[]> {
    return await this.#all('/rooms', isRoom);
  }

  async room(roomId: string): Promise<Room> {
    return await this.#json(isRoom, 'GET', roomPath(roomId));
  }

  /** Creates a room that the user owns. */
  async createRoom(room: NewRoom): Promise<Room> {
    return await this.#json(isRoom, 'POST', '/rooms', room);
  }

  /** A page of history, oldest first: before or after an offset (exclusive), else the newest. */
  async history(roomId: string, { before, after, limit }: PageRequest): Promise<HistoryPage> {
    const query = new URLSearchParams({ limit: String(limit) });
    if (before !== undefined) query.set('before', String(before));
    if (after !== undefined) query.set('after', String(after));
    return await this.#json(isPage, 'GET', `${roomPath(roomId)}/messages?${query}`);
  }

  async members(roomId: string): Promise<Member[]> {
    return await this.#all(`${roomPath(roomId)}/members`, isMember);
  }

  async addMember(roomId: string, user: string, role: Role = 'member'): Promise<Member> {
    return await this.#json(isMember, 'POST', `${roomPath(roomId)}/members`, { user, role });
  }

  async changeRole(roomId: string, user: string, role: Role): Promise<Member> {
    return await this.#json(isMember, 'PUT', memberPath(roomId, user), { role });
  }

  /** Ends a membership: of another by a role that may, or one's own. */
  async removeMember(roomId: string, user: string): Promise<void> {
    await this.#done('DELETE', memberPath(roomId, user));
  }

  /** Nothing of the room is pushed to the user any more: until then, or until it is unmuted. */
  async muteRoom(roomId: string, until?: Date): Promise<void> {
    const body = until === undefined ? {} : { until: until.toISOString() };
    await this.#done('PUT', `${roomPath(roomId)}/mute`, body);
  }

  async unmuteRoom(roomId: string): Promise<void> {
    await this.#done('DELETE', `${roomPath(roomId)}/mute`);
  }

  async notificationSettings(): Promise<NotificationSettings> {
    return await this.#json(isSettings, 'GET', '/notification-settings');
  }

  async changeNotificationSettings(settings: NotificationSettings): Promise<NotificationSettings> {
    return await this.#json(isSettings, 'PUT', '/notification-settings', settings);
  }

  /** The server's public key for Web Push, in base64url. `push_off` where it pushes nothing. */
  async pushKey(): Promise<string> {
    return (await this.#json(isKey, 'GET', '/push-key')).key;
  }

  /** Says where this browser is reached; `Push` does it. */
  async putPushSubscription(subscription: PushSubscriptionJSON): Promise<void> {
    await this.#done('PUT', '/push-subscriptions', subscription);
  }

  async deletePushSubscription(endpoint: string): Promise<void> {
    await this.#done('DELETE', '/push-subscriptions', { endpoint });
  }

  async #done(method: string, path: string, sent?: unknown): Promise<void> {
    const { status } = await this.#answer(method, path, sent);
    if (status !== 204) throw notOurs();
  }

  async #all<T>(path: string, isOne: (one: unknown) => one is T): Promise<T[]> {
    const found: T[] = [];
    let query: string | null = `?limit=${PAGE}`;
    for (let page = 0; query !== null && page < MOST_PAGES; page += 1) {
      const { body, link }: Answer = await this.#answer('GET', path + query);
      if (!Array.isArray(body) || !body.every(isOne)) throw notOurs();
      found.push(...body);
      query = nextQuery(link);
    }
    return found;
  }

  async #json<T>(
    isRight: (body: unknown) => body is T,
    method: string,
    path: string,
    sent?: unknown,
  ): Promise<T> {
    const { body } = await this.#answer(method, path, sent);
    if (!isRight(body)) throw notOurs();
    return body;
  }

  async #answer(method: string, path: string, body?: unknown): Promise<Answer> {
    let token = await this.#token(null);
    let answer = await this.#ask(method, path, token, body);
    if (answer.status === 401) {
      token = await this.#token(token);
      answer = await this.#ask(method, path, token, body);
    }
    if (answer.status < 200 || answer.status > 299) throw problemOf(answer);
    return answer;
  }

  async #token(refused: string | null): Promise<string> {
    try {
      return await this.#options.tokens.get(refused);
    } catch (error) {
      if (error instanceof ChatError) throw error;
      const signedOut = error instanceof SignedOut;
      throw new ChatError('token_required', 'There is no token to be had.', !signedOut);
    }
  }

  async #ask(method: string, path: string, token: string, body: unknown): Promise<Answer> {
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), ANSWER_MS);
    const headers: Record<string, string> = { Authorization: `Bearer ${token}` };
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    try {
      const response = await this.#options.fetch(this.#options.url + path, {
        method,
        headers,
        body: body === undefined ? null : JSON.stringify(body),
        cache: 'no-store',
        signal: patience.signal,
      });
      const text = await response.text();
      return { status: response.status, link: response.headers.get('Link'), body: parsed(text) };
    } catch {
      if (patience.signal.aborted) throw new ChatError('timeout', 'No answer in time.', true);
      throw new ChatError('network', 'The server cannot be reached.', true);
    } finally {
      clearTimeout(timer);
    }
  }
}

interface Answer {
  readonly status: number;
  readonly link: string | null;
  /** What the JSON says; undefined where there is none. */
  readonly body: unknown;
}

/** Far enough to be used without a fault; what else is in it is as the server says. */
function isRoom(body: unknown): body is Room {
  const { roomId, name, createdAt } = fieldsOf(body);
  return typeof roomId === 'string' && typeof name === 'string' && typeof createdAt === 'string';
}

function isMember(body: unknown): body is Member {
  const { user, role } = fieldsOf(body);
  return typeof user === 'string' && typeof role === 'string';
}

function isPage(body: unknown): body is HistoryPage {
  const { messages, epoch, lastOffset } = fieldsOf(body);
  const isWhole = typeof epoch === 'string' && typeof lastOffset === 'number';
  return isWhole && Array.isArray(messages) && messages.every(isEntry);
}

function isSettings(body: unknown): body is NotificationSettings {
  const { quietHours } = fieldsOf(body);
  if (quietHours === null) return true;
  const { from, to, timeZone } = fieldsOf(quietHours);
  return [from, to, timeZone].every((one) => typeof one === 'string');
}

function isKey(body: unknown): body is { readonly key: string } {
  return typeof fieldsOf(body).key === 'string';
}

function memberPath(roomId: string, user: string): string {
  return `${roomPath(roomId)}/members/${encodeURIComponent(user)}`;
}

function roomPath(roomId: string): string {
  return `/rooms/${encodeURIComponent(roomId)}`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What says 200 and is no answer of the server's: the sign-in page of a proxy or of a hotel. */
function notOurs(): ChatError {
  return new ChatError('network', 'Something else answered in place of the server.', true);
}

/** RFC 9457. Where something else answered (a proxy), nothing is known of the request. */
function problemOf({ status, body }: Answer): ChatError {
  const problem = fieldsOf(body);
  return new ChatError(
    typeof problem.code === 'string' ? problem.code : `http_${status}`,
    typeof problem.detail === 'string' ? problem.detail : `The server answered ${status}.`,
    typeof problem.retryable === 'boolean' ? problem.retryable : true,
    typeof problem.retryAfterMs === 'number' ? problem.retryAfterMs : null,
    status,
  );
}

/** The query of `Link: <…>; rel="next"`; its path may be seen differently behind a proxy. */
function nextQuery(link: string | null): string | null {
  return /<[^>?]*(\?[^>]*)>;\s*rel="?next"?/.exec(link ?? '')?.[1] ?? null;
}
