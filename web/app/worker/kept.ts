/**
 * The subscription that the server knows of this browser, kept where the worker finds it without a
 * page: its secret is what the server takes in the place of a token, for a renewal and nothing else.
 */

const CACHE = 'allibe-push';
const PLACE = '/push-subscription';
const RENEWALS = '/api/chat/push-subscriptions/renewals';

/** Pauses before further tries: a browser ends a worker that takes minutes. */
const PAUSES_MS = [1_000, 5_000, 20_000];

interface Kept {
  readonly endpoint: string;
  readonly auth: string;
  /** `applicationServerKey`, byte by byte. */
  readonly key: readonly number[];
}

/** Keeps what the browser has now: the page has told the server of it. */
export async function keep(scope: ServiceWorkerGlobalScope): Promise<void> {
  const kept = about(await scope.registration.pushManager.getSubscription());
  const cache = await scope.caches.open(CACHE);
  if (kept === null) await cache.delete(PLACE);
  else await cache.put(PLACE, new Response(JSON.stringify(kept)));
}

/**
 * Subscribes anew where the browser has not done so, and puts the new subscription in the place of
 * the old at the server. Rejects where the browser does not subscribe.
 */
export async function renew(
  scope: ServiceWorkerGlobalScope,
  before: PushSubscription | null | undefined,
  after: PushSubscription | null | undefined,
): Promise<void> {
  const old = (await kept(scope)) ?? about(before);
  // Browsers do not always say what it was.
  const key = before?.options.applicationServerKey ?? (old && new Uint8Array(old.key));
  const found = after ?? (key && (await subscribed(scope, key)));
  if (!old || !found || found.endpoint === old.endpoint) return;
  const { endpoint, auth } = old;
  if (await told(scope, { old: { endpoint, auth }, new: found.toJSON() })) await keep(scope);
}

async function subscribed(
  scope: ServiceWorkerGlobalScope,
  applicationServerKey: BufferSource,
): Promise<PushSubscription> {
  const options = { userVisibleOnly: true, applicationServerKey };
  return await scope.registration.pushManager.subscribe(options);
}

/**
 * Tells the server; returns whether it has answered. It does not know the old one where a page was
 * quicker, or an answer got lost. Where it is away, the next page that is opened tells it.
 */
async function told(scope: ServiceWorkerGlobalScope, body: object): Promise<boolean> {
  const headers = { 'Content-Type': 'application/json' };
  const request = { method: 'POST', headers, body: JSON.stringify(body) };
  for (const pause of [...PAUSES_MS, 0]) {
    const status = await scope.fetch(RENEWALS, request).then(
      (answer) => answer.status,
      () => 0,
    );
    if (status >= 200 && status < 500 && status !== 429) return true;
    if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
  }
  return false;
}

async function kept(scope: ServiceWorkerGlobalScope): Promise<Kept | null> {
  const answer = await (await scope.caches.open(CACHE)).match(PLACE);
  return answer === undefined ? null : ((await answer.json()) as Kept);
}

function about(subscription: PushSubscription | null | undefined): Kept | null {
  const { endpoint, keys } = subscription?.toJSON() ?? {};
  const key = subscription?.options.applicationServerKey;
  if (!endpoint || !keys?.auth || !key) return null;
  return { endpoint, auth: keys.auth, key: [...new Uint8Array(key)] };
}
