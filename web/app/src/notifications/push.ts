/**
 * Web Push for this browser, so that notifications come while no page is open too.
 *
 * A browser has one subscription, and its tabs may have several users: it is whose who turned
 * notifications on last.
 */

import { type ChatClient, ChatError, Push } from '@allibe/client';
import { languageOf } from '../i18n/language.js';
import { preferences } from '../preferences/preferences.js';
import { keptAccount } from '../session/account.js';
import { keep, kept } from '../ui/stored.js';

const KEY = 'allibe.push-user';
const storage = () => window.localStorage;

export class Pushes {
  readonly #push: Push;
  readonly #user: string;

  constructor(client: ChatClient, user: string) {
    this.#user = user;
    const register = () => navigator.serviceWorker.register(address(), { updateViaCache: 'none' });
    this.#push = new Push({ http: client.http, register });
  }

  isOn(): boolean {
    return this.#push.get() === 'on';
  }

  /** Turns them on for this user; returns what came of it: a `PushState`, or an error's code. */
  async enable(): Promise<string> {
    keep(storage, KEY, this.#user);
    return await told(codeOf(this.#push.enable()));
  }

  /** For a page that is loaded, or in another language: if they were turned on by this user. */
  async resume(): Promise<void> {
    if (kept(storage, KEY) === this.#user) await told(codeOf(this.#push.resume()));
  }

  async disable(): Promise<void> {
    keep(storage, KEY, null);
    await this.#push.disable();
  }

  /** The user signs out: what is theirs is shown here no more. */
  async signOut(): Promise<void> {
    if (kept(storage, KEY) === this.#user) await this.disable();
  }
}

const known = new WeakMap<ChatClient, Pushes>();

/** The same one for a client, wherever it is asked for. */
export function pushesOf(client: ChatClient, user: string): Pushes {
  const pushes = known.get(client) ?? new Pushes(client, user);
  known.set(client, pushes);
  return pushes;
}

/** Calls the listener for what the service worker tells. Returns what ends that. */
export function onWorker(type: string, listener: (roomId: unknown) => void): () => void {
  // Not there where the page came without TLS.
  const worker = navigator.serviceWorker as ServiceWorkerContainer | undefined;
  const told = ({ data }: MessageEvent) => {
    if (data?.type === type) listener(data.roomId);
  };
  worker?.addEventListener('message', told);
  return () => worker?.removeEventListener('message', told);
}

/** The worker knows of the page what its address says: another language is another worker. */
function address(): string {
  const language = preferences.get().language ?? languageOf(navigator.languages);
  const account = keptAccount();
  const query = new URLSearchParams({ language });
  if (account?.kind === 'demo') query.set('user', account.user);
  return `/service-worker.js?${query}`;
}

/** Lets the worker keep what the server was told, for when the subscription changes. */
async function told(code: Promise<string>): Promise<string> {
  if ((await code) === 'on') {
    (await navigator.serviceWorker.ready).active?.postMessage({ type: 'push-told' });
  }
  return await code;
}

async function codeOf(state: Promise<string>): Promise<string> {
  try {
    return await state;
  } catch (error) {
    return error instanceof ChatError ? error.code : 'other';
  }
}
