/**
 * Shows what is pushed, leads a click to its room, and keeps the subscription alive.
 *
 * Browsers want a notification for each push, whoever looks: one that comes while the page is seen,
 * or that the page has told already, is shown without a sound.
 */

import { keep, renew } from './kept.js';
import { type Pushed, pushedIn, textOf } from './pushed.js';

export function serve(scope: ServiceWorkerGlobalScope): void {
  scope.addEventListener('install', (event) => event.waitUntil(scope.skipWaiting()));
  scope.addEventListener('activate', (event) => event.waitUntil(scope.clients.claim()));
  scope.addEventListener('push', (event) => {
    event.waitUntil(show(scope, pushedIn(event.data?.text())));
  });
  scope.addEventListener('notificationclick', (event) => {
    event.notification.close();
    event.waitUntil(open(scope, event.notification.data?.roomId));
  });
  scope.addEventListener('pushsubscriptionchange', (event) => {
    event.waitUntil(subscribeAgain(scope, event as SubscriptionChange));
  });
  scope.addEventListener('message', (event) => {
    if (event.data?.type === 'push-told') event.waitUntil(keep(scope));
  });
}

async function show(scope: ServiceWorkerGlobalScope, pushed: Pushed | null): Promise<void> {
  if (pushed === null) {
    await scope.registration.showNotification('Allibe', { tag: 'allibe', silent: true });
    return;
  }
  const { roomId, title, offset } = pushed;
  const shown = await scope.registration.getNotifications({ tag: roomId });
  const isTold = shown.some(({ data }) => data?.offset >= offset);
  const silent = isTold || (await windows(scope)).some((one) => one.visibilityState === 'visible');
  const options = {
    body: textOf(pushed, asked(scope, 'language') ?? scope.navigator.language),
    // One notification per room: a later one takes the place of the earlier, and rings again.
    tag: roomId,
    renotify: !silent,
    silent,
    data: { roomId, offset },
  };
  await scope.registration.showNotification(title, options);
}

async function open(scope: ServiceWorkerGlobalScope, roomId: unknown): Promise<void> {
  const all = await windows(scope);
  const best = all.find((one) => one.visibilityState === 'visible') ?? all[0];
  if (best === undefined) {
    const user = asked(scope, 'user');
    const place = new URL(
      user === null ? '' : `?user=${encodeURIComponent(user)}`,
      scope.registration.scope,
    );
    if (typeof roomId === 'string') place.hash = `#/rooms/${roomId}`;
    await scope.clients.openWindow(place);
    return;
  }
  best.postMessage({ type: 'open-room', roomId });
  await best.focus();
}

/** Tells the server itself, and pages that are open, which have a token and know better. */
async function subscribeAgain(
  scope: ServiceWorkerGlobalScope,
  { oldSubscription, newSubscription }: SubscriptionChange,
): Promise<void> {
  const renewed = renew(scope, oldSubscription, newSubscription);
  await renewed.catch(() => {});
  for (const one of await windows(scope)) one.postMessage({ type: 'push-changed' });
}

/** What the page says in the script's address: `language`, and in a demo `user`. */
function asked(scope: ServiceWorkerGlobalScope, name: string): string | null {
  return new URL(scope.location.href).searchParams.get(name);
}

function windows(scope: ServiceWorkerGlobalScope): Promise<readonly WindowClient[]> {
  return scope.clients.matchAll({ type: 'window', includeUncontrolled: true });
}

/** Push API §10.5; TypeScript's library has no such event. */
interface SubscriptionChange extends ExtendableEvent {
  readonly oldSubscription?: PushSubscription | null;
  readonly newSubscription?: PushSubscription | null;
}
