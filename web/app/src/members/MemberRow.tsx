import type { Member, Role } from '@allibe/client';
import { useState } from 'react';
import { isolated } from '../i18n/bidi.js';
import { useWords } from '../i18n/language.js';
import { usePeople } from '../people/people.js';
import { Avatar } from '../ui/Avatar.js';
import { Button, IconButton } from '../ui/Button.js';
import { mayChangeRoles, mayRemove } from './permissions.js';

const ROLES: readonly Role[] = ['owner', 'admin', 'member'];

interface MemberRowProps {
  readonly member: Member;
  /** One's own role. */
  readonly own: Role;
  readonly onRole: (role: Role) => Promise<boolean>;
  readonly onRemove: () => Promise<boolean>;
}

/** A member, with what one may do about them. */
export function MemberRow({ member, own, onRole, onRemove }: MemberRowProps) {
  const { t } = useWords();
  const { me, nameOf } = usePeople();
  const [asks, setAsks] = useState(false);
  const [busy, setBusy] = useState(false);
  const { user, role } = member;
  const name = nameOf(user);
  const isMe = user === me.user;

  const during = async (act: () => Promise<boolean>) => {
    setBusy(true);
    await act();
    setBusy(false);
    setAsks(false);
  };

  return (
    <li className="member" aria-busy={busy}>
      <Avatar id={user} name={name} size={40} />
      <div className="member__names">
        <p className="member__name">
          <bdi>{name}</bdi>
          {isMe && <span className="member__me">{t.you}</span>}
        </p>
        <p className="member__user">@{user}</p>
      </div>
      {!isMe && mayChangeRoles(own) ? (
        <select
          className="member__roles"
          aria-label={t.members.roleOf(name)}
          value={role}
          disabled={busy}
          onChange={(event) => {
            const chosen = ROLES.find((known) => known === event.target.value);
            if (chosen) void during(() => onRole(chosen));
          }}
        >
          {ROLES.map((option) => (
            <option key={option} value={option}>
              {t.members.roles[option]}
            </option>
          ))}
        </select>
      ) : (
        <span className={`member__role member__role--${role}`}>{t.members.roles[role]}</span>
      )}
      {!isMe && mayRemove(own, role) && (
        <IconButton
          icon="removePerson"
          label={t.members.remove(isolated(name))}
          aria-expanded={asks}
          onClick={() => setAsks(!asks)}
        />
      )}
      {asks && (
        <div className="confirm member__confirm">
          <p>{t.members.removeConfirm(isolated(name))}</p>
          <div className="confirm__actions">
            <Button onClick={() => setAsks(false)}>{t.cancel}</Button>
            <Button look="danger" busy={busy} onClick={() => void during(onRemove)}>
              {t.members.removeShort}
            </Button>
          </div>
        </div>
      )}
    </li>
  );
}
