/**
 * Who may do what to whom. The server's table (rooms-api/allibe_rooms_api/permissions.py) decides;
 * this only leaves out what would be refused.
 */

import type { Role } from '@allibe/client';

export function mayInvite(own: Role): boolean {
  return own !== 'member';
}

/** Whether somebody in the role may remove another member of the given role. */
export function mayRemove(own: Role, other: Role): boolean {
  return own === 'owner' || (own === 'admin' && other === 'member');
}

export function mayChangeRoles(own: Role): boolean {
  return own === 'owner';
}
