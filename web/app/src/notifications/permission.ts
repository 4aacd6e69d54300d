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
  readonly onClick: () => void;
}

export function notify({ title, body, tag, onClick }: Shown): void {
  if (permission() !== 'granted') return;
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
