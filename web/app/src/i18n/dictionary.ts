/** Everything that the page says. Each language is one object of this type. */

import type { Role } from '@allibe/client';
import type { Few } from '../room/few.js';

export interface Dictionary {
  readonly languageName: string;
  readonly retry: string;
  readonly cancel: string;
  readonly close: string;
  readonly loading: string;
  readonly you: string;
  /** Who was erased, whatever the name was. */
  readonly deletedUser: string;

  /** When the page itself is at fault. */
  readonly broken: {
    readonly title: string;
    readonly hint: string;
    readonly reload: string;
  };

  readonly signIn: {
    readonly tagline: string;
    readonly chooseTitle: string;
    readonly chooseHint: string;
    readonly tokenTitle: string;
    readonly tokenHint: string;
    readonly tokenLabel: string;
    readonly submit: string;
    readonly tokenMalformed: string;
    readonly tokenExpired: string;
    readonly unreachable: string;
    readonly feature1: string;
    readonly feature2: string;
    readonly feature3: string;
  };

  readonly settings: {
    readonly open: string;
    readonly title: string;
    readonly language: string;
    readonly theme: string;
    readonly themes: Readonly<Record<'system' | 'light' | 'dark', string>>;
    readonly signOut: string;
  };

  readonly rooms: {
    readonly title: string;
    readonly skip: string;
    readonly conversation: string;
    readonly filter: string;
    readonly filterNone: (filter: string) => string;
    readonly emptyTitle: string;
    readonly emptyHint: string;
    readonly errorTitle: string;
    readonly noMessages: string;
    readonly draft: string;
    readonly muted: string;
    readonly unread: (count: number) => string;
    readonly welcomeTitle: (name: string) => string;
    readonly welcomeHint: string;
    readonly create: string;
  };

  readonly createRoom: {
    readonly title: string;
    readonly name: string;
    readonly namePlaceholder: string;
    readonly invite: string;
    readonly inviteHint: string;
    readonly suggestions: string;
    readonly submit: string;
    readonly nameMissing: string;
    readonly badUser: (user: string) => string;
  };

  readonly room: {
    readonly back: string;
    readonly leaveScreen: string;
    readonly leaveScreenHint: string;
    readonly mute: string;
    readonly mutedHint: string;
    readonly members: string;
    readonly memberCount: (count: number) => string;
    /** Who has the room on the screen, without oneself; or how many, oneself included. */
    readonly here: (who: Few) => string;
    readonly hereMany: (count: string) => string;
    readonly typing: (who: Few) => string;
    readonly readBy: (who: Few) => string;
    readonly messages: (room: string) => string;
    readonly start: string;
    readonly newMessages: string;
    readonly jump: (count: number) => string;
    readonly loadOlderFailed: string;
    readonly errorTitle: string;
    readonly endedTitle: string;
    readonly endedHint: string;
    readonly backToRooms: string;
    readonly emptyTitle: string;
    readonly emptyHint: string;
    /** In place of a message whose sender's data was erased. */
    readonly erased: string;
    readonly pending: string;
    readonly sent: string;
    readonly failed: string;
    readonly resend: string;
    readonly discard: string;
    readonly announce: (sender: string, text: string) => string;
    readonly announceMany: (count: number, sender: string, text: string) => string;
  };

  readonly composer: {
    readonly label: (room: string) => string;
    readonly placeholder: string;
    readonly send: string;
    readonly ended: string;
    readonly left: (bytes: number) => string;
    readonly over: (bytes: number) => string;
  };

  readonly members: {
    readonly title: string;
    readonly roles: Readonly<Record<Role, string>>;
    readonly roleOf: (name: string) => string;
    readonly invite: string;
    readonly inviteLabel: string;
    readonly invitePlaceholder: string;
    readonly invited: (user: string) => string;
    readonly remove: (name: string) => string;
    readonly removeConfirm: (name: string) => string;
    readonly removeShort: string;
    readonly leave: string;
    readonly leaveConfirm: string;
  };

  readonly connection: {
    readonly connecting: string;
    readonly reconnecting: string;
    readonly inSeconds: (seconds: number) => string;
    readonly tryNow: string;
    readonly offline: string;
    readonly sessionEnded: string;
    readonly refused: (code: string) => string;
    readonly signInAgain: string;
  };

  readonly notifications: {
    readonly label: string;
    readonly onHint: string;
    readonly offHint: string;
    readonly blocked: string;
    readonly unsupported: string;
    readonly body: (sender: string, text: string) => string;
    readonly bodyMany: (count: number, sender: string, text: string) => string;
  };

  readonly quietHours: {
    readonly title: string;
    readonly label: string;
    readonly hint: string;
    readonly from: string;
    readonly to: string;
    readonly zone: (zone: string) => string;
    readonly ownZone: (zone: string) => string;
    readonly wrong: string;
    readonly save: string;
  };

  readonly days: { readonly today: string; readonly yesterday: string };

  /** By `ChatError.code`; `other` for what is not here. */
  readonly errors: Readonly<Record<string, string>> & { readonly other: string };
}
