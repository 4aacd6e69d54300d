/** The dialog for a new room: a name, and whom to invite. */

import { ChatError, type Room } from '@allibe/client';
import { useChatClient } from '@allibe/react';
import { useState } from 'react';
import { errorText, useWords } from '../i18n/language.js';
import { useMe, usePeople } from '../people/people.js';
import { Avatar } from '../ui/Avatar.js';
import { Button } from '../ui/Button.js';
import { Dialog } from '../ui/Dialog.js';
import { Field } from '../ui/Field.js';
import { isUserId, LONGEST_NAME, toggled, usersIn } from './new-room.js';
import './CreateRoom.css';

interface CreateRoomProps {
  readonly onCreated: (room: Room) => void;
  readonly onClose: () => void;
}

export function CreateRoom({ onCreated, onClose }: CreateRoomProps) {
  const { t } = useWords();
  const { http } = useChatClient();
  const me = useMe();
  const [name, setName] = useState('');
  const [invited, setInvited] = useState('');
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);

  const members = usersIn(invited).filter((user) => user !== me.user);
  const wrongUser = members.find((user) => !isUserId(user));
  const nameMissing = name.trim() === '';

  const submit = async () => {
    setTried(true);
    if (nameMissing || wrongUser !== undefined || busy) return;
    setBusy(true);
    setFailure(null);
    try {
      onCreated(await http.createRoom({ name: name.trim(), members: [...members] }));
    } catch (error) {
      setFailure(errorText(t, error instanceof ChatError ? error : { code: 'other' }));
      setBusy(false);
    }
  };

  return (
    <Dialog title={t.createRoom.title} onClose={onClose}>
      <form
        className="create-room"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <Field
          label={t.createRoom.name}
          placeholder={t.createRoom.namePlaceholder}
          data-focus-first
          maxLength={LONGEST_NAME}
          value={name}
          onChange={(event) => setName(event.target.value)}
          error={tried && nameMissing ? t.createRoom.nameMissing : null}
        />
        <Field
          label={t.createRoom.invite}
          hint={t.createRoom.inviteHint}
          value={invited}
          autoCapitalize="none"
          onChange={(event) => setInvited(event.target.value)}
          error={tried && wrongUser !== undefined ? t.createRoom.badUser(wrongUser) : null}
        />
        <Suggestions
          chosen={members}
          onToggle={(user) => setInvited((before) => toggled(before, user))}
        />
        {failure && (
          <p className="field__error" role="alert">
            {failure}
          </p>
        )}
        <div className="create-room__actions">
          <Button onClick={onClose}>{t.cancel}</Button>
          <Button look="primary" type="submit" busy={busy}>
            {t.createRoom.submit}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

interface SuggestionsProps {
  readonly chosen: readonly string[];
  readonly onToggle: (user: string) => void;
}

/** People whose name is known, to invite with one press. */
function Suggestions({ chosen, onToggle }: SuggestionsProps) {
  const { t } = useWords();
  const { others, nameOf } = usePeople();
  if (others.length === 0) return null;
  return (
    <fieldset className="suggestions">
      <legend className="visually-hidden">{t.createRoom.suggestions}</legend>
      {others.slice(0, 12).map((user) => (
        <button
          key={user}
          type="button"
          className="suggestion"
          aria-pressed={chosen.includes(user)}
          onClick={() => onToggle(user)}
        >
          <Avatar id={user} name={nameOf(user)} size={26} />
          <bdi>{nameOf(user)}</bdi>
        </button>
      ))}
    </fieldset>
  );
}
