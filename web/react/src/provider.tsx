/** Which client the hooks below use. It neither opens nor closes it. */

import type { ChatClient } from '@allibe/client';
import { createContext, type ReactElement, type ReactNode, useContext } from 'react';

const ChatContext = createContext<ChatClient | null>(null);

export interface ChatProviderProps {
  /** Made outside of rendering (in a module, or in `useState`), one per signed-in user. */
  client: ChatClient;
  children?: ReactNode;
}

/**
 * Gives the client to the hooks below.
 *
 * Connects nothing: the hooks do. The client stays the caller's: unmounting the provider leaves
 * what the hooks entered, and only `client.close()` signs out. With another `client`, the hooks
 * leave the old one and enter the new one.
 */
export function ChatProvider({ client, children }: ChatProviderProps): ReactElement {
  return <ChatContext.Provider value={client}>{children}</ChatContext.Provider>;
}

/**
 * The client of the nearest `ChatProvider`, for what the hooks do not cover (`client.http`,
 * `client.on`). Connects nothing.
 *
 * @throws Error where there is no `ChatProvider` above.
 */
export function useChatClient(): ChatClient {
  const client = useContext(ChatContext);
  if (client === null) {
    throw new Error(
      'No chat client: the hooks of @allibe/react work only below <ChatProvider client={…}>.',
    );
  }
  return client;
}
