/** Renders parts of the page as a signed-in user would have them, and finds things by their names. */

import { ChatProvider } from '@allibe/react';
import { act, type ReactNode } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach } from 'vitest';
import { LanguageProvider } from '../src/i18n/language.js';
import { PeopleProvider } from '../src/people/people.js';
import { choose } from '../src/preferences/preferences.js';
import type { Account } from '../src/session/account.js';
import { Toasts } from '../src/ui/Toasts.js';
import { FakeClient } from './fake-client.js';

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

export const ALICE: Account = { kind: 'token', user: 'alice', name: 'Alice', token: 't' };

let roots: { root: Root; container: HTMLElement }[] = [];

afterEach(async () => {
  for (const { root, container } of roots) {
    await act(async () => root.unmount());
    container.remove();
  }
  roots = [];
  sessionStorage.clear();
  localStorage.clear();
});

export async function render(ui: ReactNode, client = new FakeClient()) {
  act(() => choose({ language: 'en', theme: 'system', notify: false }));
  const container = document.body.appendChild(document.createElement('div'));
  const root = createRoot(container);
  roots.push({ root, container });
  const show = (shown: ReactNode) =>
    act(async () =>
      root.render(
        <LanguageProvider>
          <ChatProvider client={client.asClient}>
            <PeopleProvider account={ALICE}>
              <Toasts>{shown}</Toasts>
            </PeopleProvider>
          </ChatProvider>
        </LanguageProvider>,
      ),
    );
  await show(ui);
  return { container, client, show };
}

/** The button, link or field of this name. Throws where there is none. */
export function named(name: string): HTMLElement {
  const found = findNamed(name);
  if (!found) throw new Error(`Nothing is called ${name} in ${document.body.innerHTML}`);
  return found;
}

export function findNamed(name: string): HTMLElement | null {
  const elements = [
    ...document.querySelectorAll<HTMLElement>('button, a, input, textarea, select'),
  ];
  return elements.find((element) => nameOf(element) === name) ?? null;
}

export async function press(element: HTMLElement): Promise<void> {
  await act(async () => element.click());
}

/** Puts text into a field as typing does. */
export async function type(field: HTMLElement, text: string): Promise<void> {
  const kind = field instanceof HTMLTextAreaElement ? HTMLTextAreaElement : HTMLInputElement;
  await act(async () => {
    // Past React's own setter, or it does not see a change.
    Object.getOwnPropertyDescriptor(kind.prototype, 'value')?.set?.call(field, text);
    field.dispatchEvent(new Event('input', { bubbles: true }));
  });
}

/** Presses a key; returns whether the page took it for itself. */
export async function key(target: EventTarget, init: KeyboardEventInit): Promise<boolean> {
  const event = new KeyboardEvent('keydown', { bubbles: true, cancelable: true, ...init });
  await act(async () => void target.dispatchEvent(event));
  return event.defaultPrevented;
}

function nameOf(element: HTMLElement): string {
  const label = element.getAttribute('aria-label');
  if (label !== null) return label;
  if (element.id && (element instanceof HTMLInputElement || element instanceof HTMLSelectElement)) {
    const labelled = [...document.querySelectorAll('label')].find((l) => l.htmlFor === element.id);
    if (labelled) return labelled.textContent ?? '';
  }
  return (element.textContent ?? '').trim();
}
