/** Short messages about what failed out of sight, at the bottom for a few seconds. */

import { createContext, type ReactNode, useCallback, useContext, useState } from 'react';
import './Toasts.css';

const SHOWN_MS = 6_000;
const AT_ONCE = 3;

interface Toast {
  readonly id: number;
  readonly text: string;
}

let lastId = 0;

const ToastContext = createContext<(text: string) => void>(() => {});

/** A function that shows a text. The same one at each render. */
export function useToast(): (text: string) => void {
  return useContext(ToastContext);
}

export function Toasts({ children }: { children: ReactNode }) {
  const [toasts, setToasts] = useState<readonly Toast[]>([]);
  const show = useCallback((text: string) => {
    lastId += 1;
    const toast = { id: lastId, text };
    setToasts((before) =>
      [...before.filter((other) => other.text !== text), toast].slice(-AT_ONCE),
    );
    window.setTimeout(() => {
      setToasts((before) => before.filter(({ id }) => id !== toast.id));
    }, SHOWN_MS);
  }, []);

  return (
    <ToastContext.Provider value={show}>
      {children}
      <div className="toasts" role="status">
        {toasts.map(({ id, text }) => (
          <p key={id} className="toast">
            {text}
          </p>
        ))}
      </div>
    </ToastContext.Provider>
  );
}
