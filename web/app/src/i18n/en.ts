import type { Few } from '../room/few.js';
import type { Dictionary } from './dictionary.js';

const plural = (count: number, one: string, many: string) => (count === 1 ? one : many);

/** Bob; Bob and Carol; Bob, Carol and 3 others. */
function listed({ names, more }: Few): string {
  const all = more === 0 ? names : [...names, `${more} ${plural(more, 'other', 'others')}`];
  return all.length < 2 ? all.join() : `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`;
}

const verb = ({ names, more }: Few) => plural(names.length + more, 'is', 'are');

export const en: Dictionary = {
  languageName: 'English',
  retry: 'Try again',
  cancel: 'Cancel',
  close: 'Close',
  loading: 'Loading…',
  you: 'You',
  deletedUser: 'Deleted user',

  broken: {
    title: 'Something broke on this page',
    hint: 'Please reload it. What you wrote is kept.',
    reload: 'Reload',
  },

  signIn: {
    tagline: 'Rooms for the conversations that matter.',
    chooseTitle: 'Who are you today?',
    chooseHint: 'This is a demo: pick anyone. Open a second tab to be somebody else there.',
    tokenTitle: 'Sign in',
    tokenHint: 'Paste the access token that you got from your administrator or your app.',
    tokenLabel: 'Access token',
    submit: 'Sign in',
    tokenMalformed:
      'That does not look like an access token. It has three parts with dots between.',
    tokenExpired: 'This access token has expired. Please get a new one.',
    unreachable: 'The server does not answer.',
    feature1: 'Messages arrive the moment they are sent',
    feature2: 'Nothing is lost when the network drops',
    feature3: 'Korean and English, light and dark',
  },

  settings: {
    open: 'Account and settings',
    title: 'Settings',
    language: 'Language',
    theme: 'Appearance',
    themes: { system: 'System', light: 'Light', dark: 'Dark' },
    signOut: 'Sign out',
  },

  rooms: {
    title: 'Rooms',
    conversation: 'Conversation',
    skip: 'Skip to the conversation',
    filter: 'Search rooms',
    filterNone: (filter) => `No room is called “${filter}”.`,
    emptyTitle: 'No rooms yet',
    emptyHint: 'Create one and invite the people you want to talk to.',
    errorTitle: 'Your rooms could not be loaded',
    noMessages: 'No messages yet',
    draft: 'Draft:',
    muted: 'Muted',
    unread: (count) => `${count} unread ${plural(count, 'message', 'messages')}`,
    welcomeTitle: (name) => `Hello, ${name}!`,
    welcomeHint: 'Pick a room on the left to read on, or start a new one.',
    create: 'New room',
  },

  createRoom: {
    title: 'New room',
    name: 'Name',
    namePlaceholder: 'For example: Weekend hike',
    invite: 'Invite (optional)',
    inviteHint: 'User IDs, separated by commas',
    suggestions: 'People you know',
    submit: 'Create room',
    nameMissing: 'Please give the room a name.',
    badUser: (user) => `“${user}” cannot be a user ID.`,
  },

  room: {
    back: 'Back to the rooms',
    leaveScreen: 'Close room',
    leaveScreenHint: 'Close room: the connection ends, you stay a member',
    mute: 'Mute room',
    mutedHint: 'This room is muted: it sends no notifications.',
    members: 'Members',
    memberCount: (count) => `${count} ${plural(count, 'member', 'members')}`,
    here: (who) => `${listed(who)} ${verb(who)} here`,
    hereMany: (count) => `${count} people are here`,
    typing: (who) => `${listed(who)} ${verb(who)} typing…`,
    readBy: (who) => `Read by ${listed(who)}`,
    messages: (room) => `Messages in ${room}`,
    start: 'The conversation starts here',
    newMessages: 'New messages',
    jump: (count) =>
      count === 0
        ? 'Jump to the latest message'
        : `Jump to the latest message, ${count} new ${plural(count, 'message', 'messages')}`,
    loadOlderFailed: 'Older messages could not be loaded.',
    errorTitle: 'This room could not be loaded',
    endedTitle: 'This room is not open to you',
    endedHint: 'It does not exist, or you are not a member of it any more.',
    backToRooms: 'Back to the rooms',
    emptyTitle: 'No messages yet',
    emptyHint: 'Say hello to get things going.',
    erased: 'Deleted message',
    pending: 'Sending',
    sent: 'Sent',
    failed: 'Not sent',
    resend: 'Send again',
    discard: 'Discard',
    announce: (sender, text) => `${sender}: ${text}`,
    announceMany: (count, sender, text) =>
      `${count} new messages. The last one, ${sender}: ${text}`,
  },

  composer: {
    label: (room) => `Message to ${room}`,
    placeholder: 'Write a message',
    send: 'Send',
    ended: 'You cannot write here any more: you are not a member of this room.',
    left: (bytes) => `${bytes} bytes left`,
    over: (bytes) => `${bytes} bytes too long`,
  },

  members: {
    title: 'Members',
    roles: { owner: 'Owner', admin: 'Admin', member: 'Member' },
    roleOf: (name) => `Role of ${name}`,
    invite: 'Invite',
    inviteLabel: 'Invite by user ID',
    invitePlaceholder: 'User ID',
    invited: (user) => `${user} is a member now.`,
    remove: (name) => `Remove ${name}`,
    removeConfirm: (name) => `Remove ${name} from this room?`,
    removeShort: 'Remove',
    leave: 'Leave room',
    leaveConfirm: 'Leave this room for good? You can come back only when somebody invites you.',
  },

  connection: {
    connecting: 'Connecting…',
    reconnecting: 'Reconnecting…',
    inSeconds: (seconds) => `in ${seconds} s`,
    tryNow: 'Try now',
    offline: 'You are offline. What you write is sent once you are back.',
    sessionEnded: 'Your session has ended.',
    refused: (code) => `The server refused the connection (${code}).`,
    signInAgain: 'Sign in again',
  },

  notifications: {
    label: 'Notifications',
    onHint: 'Notifications are on: Allibe stays connected while no room is open.',
    offHint: 'Notifications are off: Allibe is connected only while a room is open.',
    blocked: 'Notifications are blocked in your browser’s settings for this page.',
    unsupported: 'This browser cannot show notifications.',
    body: (sender, text) => `${sender}: ${text}`,
    bodyMany: (count, sender, text) => `${count} new messages\n${sender}: ${text}`,
  },

  quietHours: {
    title: 'Quiet hours',
    label: 'Send me nothing at night',
    hint: 'Holds for all your devices. What is still unread when the quiet hours end is sent then.',
    from: 'From',
    to: 'To',
    zone: (zone) => `Times of ${zone}`,
    ownZone: (zone) => `Use this device's time zone (${zone})`,
    wrong: 'Please choose two different times.',
    save: 'Save',
  },

  days: { today: 'Today', yesterday: 'Yesterday' },

  errors: {
    network: 'The server does not answer. Are you online?',
    timeout: 'The server took too long to answer.',
    push_failed:
      'This browser gets notifications only while Allibe is open: its push service does not answer.',
    outbox_full: 'Too many messages are waiting to be sent.',
    invalid_content: 'An empty message cannot be sent.',
    content_too_long: 'This message is too long.',
    token_required: 'Please sign in again.',
    token_invalid: 'You are not signed in any more.',
    token_expired: 'Your session has ended.',
    token_revoked: 'You were signed out.',
    ticket_invalid: 'Please sign in again.',
    not_allowed: 'You may not do that in this room.',
    not_a_member: 'You are not a member of this room.',
    origin_not_allowed: 'This page may not talk to this server.',
    unknown_room: 'There is no such room.',
    unknown_member: 'This user is not a member of the room.',
    push_off: 'This server does not push notifications.',
    conflict: 'A room needs an owner: make somebody else the owner first.',
    rejected: 'The room does not take this message.',
    bad_request: 'The server did not understand this.',
    store_unavailable: 'The server is busy. Please try again.',
    bus_unavailable: 'The server is busy. Please try again.',
    leases_unavailable: 'The server is busy. Please try again.',
    keys_unavailable: 'The server is busy. Please try again.',
    not_confirmed: 'The server did not confirm this in time.',
    rate_limited: 'You are too fast. Please wait a moment.',
    overloaded: 'The server is very busy. Please try again soon.',
    shutting_down: 'The server is restarting. Please try again soon.',
    other: 'Something went wrong.',
  },
};
