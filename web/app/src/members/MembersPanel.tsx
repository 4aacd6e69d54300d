/** Who is in the room: roles, inviting, removing, and leaving for good. */

import { ChatError, type Role } from '@allibe/client';
import { useChatClient } from '@allibe/react';
import { useEffect, useState } from 'react';
import { errorText, useWords } from '../i18n/language.js';
import { useMe } from '../people/people.js';
import { forgetRoom } from '../routing/route.js';
import { Button } from '../ui/Button.js';
import { Dialog } from '../ui/Dialog.js';
import { InviteForm } from './InviteForm.js';
import { LeaveRoom } from './LeaveRoom.js';
import { MemberRow } from './MemberRow.js';
import { mayInvite } from './permissions.js';
import type { Members } from './use-members.js';
import './Members.css';

interface MembersPanelProps {
  readonly roomId: string;
  /** One's own role. */
  readonly role: Role;
  readonly members: Members;
  readonly onClose: () => void;
}

export function MembersPanel({ roomId, role, members, onClose }: MembersPanelProps) {
  const { t } = useWords();
  const me = useMe();
  const { http, rooms } = useChatClient();
  const [failure, setFailure] = useState<string | null>(null);
  const { list, error, reload, refresh } = members;
  // Fresher than the list of rooms, once it is there.
  const own = list?.find(({ user }) => user === me.user)?.role ?? role;

  useEffect(() => void refresh(), [refresh]);

  /** Says what failed; returns whether nothing did. */
  const attempt = async (act: () => Promise<void>): Promise<boolean> => {
    setFailure(null);
    try {
      await act();
      return true;
    } catch (error) {
      setFailure(errorText(t, error instanceof ChatError ? error : { code: 'other' }));
      return false;
    }
  };

  const leave = async () => {
    // Not `members.remove`: there is no list to load again.
    if (!(await attempt(() => http.removeMember(roomId, me.user)))) return;
    onClose();
    forgetRoom();
    void rooms.reload();
  };

  return (
    <Dialog title={t.members.title} place="side" onClose={onClose}>
      <div className="members">
        {mayInvite(own) && <InviteForm invite={(user) => attempt(() => members.invite(user))} />}
        {failure && (
          <p className="field__error" role="alert">
            {failure}
          </p>
        )}
        {list === null && error !== null && (
          <div className="members__failed" role="alert">
            <p>{errorText(t, error)}</p>
            <Button icon="retry" onClick={() => void reload()}>
              {t.retry}
            </Button>
          </div>
        )}
        {list === null && error === null && (
          <p className="members__loading" role="status">
            <span className="spinner" /> {t.loading}
          </p>
        )}
        <ul className="members__list">
          {list?.map((member) => (
            <MemberRow
              key={member.user}
              member={member}
              own={own}
              onRole={(role) => attempt(() => members.changeRole(member.user, role))}
              onRemove={() => attempt(() => members.remove(member.user))}
            />
          ))}
        </ul>
        <LeaveRoom onLeave={leave} />
      </div>
    </Dialog>
  );
}
