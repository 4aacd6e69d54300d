/** Whether the browser lets the page notify. Asked only from a click. */

export type Permission = NotificationPermission | 'unsupported';

export function permission(): Permission {
  return 'Notification' in window ? Notification.permission : 'unsupported';
}

export async function askPermission(): Promise<Permission> {
  return 'Notification' in window ? await Notification.requestPermission() : 'unsupported';
}

interface Shown {
  readonly title: string;
  readonly body: string;
  /** One notification per tag: a later one takes the place of the earlier. */
  readonly tag: string;
  /** Of the newest message. */
  readonly offset: number;
  readonly onClick: () => void;
}

/**
 * Shows a notification: by the service worker where there is one, so that the push of the same
 * message takes its place, without a sound.
 */
export async function notify(shown: Shown, worker: ServiceWorkerRegistration | undefined) {
  if (permission() !== 'granted') return;
  if (worker === undefined) {
    notifyWithout(shown);
    return;
  }
  const { title, body, tag, offset } = shown;
  const options = { body, tag, renotify: true, data: { roomId: tag, offset } };
  await worker.showNotification(title, options);
}

function notifyWithout({ title, body, tag, onClick }: Shown): void {
  try {
    const shown = new Notification(title, { body, tag });
    shown.onclick = () => {
      window.focus();
      onClick();
      shown.close();
    };
  } catch {
    // Android's Chrome has the class, but wants a service worker for it.
  }
}
