/**
 * @allibe/react: React hooks on @allibe/client.
 *
 * The hooks own no connection: they say to the `ChatClient` of the nearest `ChatProvider` what is
 * on the screen, and it connects while anything needs that. All work under StrictMode, and on a
 * server, where they return constants and open nothing.
 */

export { ChatProvider, type ChatProviderProps, useChatClient } from './provider.js';
export { useActivity } from './use-activity.js';
export { type UseConnectionResult, useConnection } from './use-connection.js';
export { type UseRoomResult, useRoom } from './use-room.js';
export { type UseRoomsOptions, type UseRoomsResult, useRooms } from './use-rooms.js';
export { useUnread } from './use-unread.js';
