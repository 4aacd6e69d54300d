/** @allibe/client: chat over Allibe. Start at `ChatClient`. */

export { ChatClient, type ChatClientOptions } from './client.js';
export type { MakeSocket } from './connection/link.js';
export { DISCONNECTS, type Disconnect } from './disconnects.js';
export { ChatError, SignedOut } from './errors.js';
export type { Http, NewRoom, PageRequest } from './http.js';
export type { Network } from './network.js';
export { CONTENT_BYTES } from './outbox/content.js';
export { type OutboxStorage, type StoredEntry, WebStorageOutbox } from './outbox/storage.js';
export { Push, type PushOptions, type PushState, pushSupported } from './push/push.js';
export type { EnteredRoom } from './room/entered-room.js';
export type { RoomList } from './rooms/room-list.js';
export { type Claims, claimsOf } from './tokens.js';
export type * from './types.js';
