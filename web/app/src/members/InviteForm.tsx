import { useState } from 'react';
import { isolated } from '../i18n/bidi.js';
import { useWords } from '../i18n/language.js';
import { usePeople } from '../people/people.js';
import { isUserId } from '../rooms/new-room.js';
import { Button } from '../ui/Button.js';
import { Field } from '../ui/Field.js';

interface InviteFormProps {
  /** Says itself what failed; tells whether nothing did. */
  readonly invite: (user: string) => Promise<boolean>;
}

export function InviteForm({ invite }: InviteFormProps) {
  const { t } = useWords();
  const { nameOf } = usePeople();
  const [user, setUser] = useState('');
  const [wrong, setWrong] = useState(false);
  const [busy, setBusy] = useState(false);
  const [invited, setInvited] = useState<string | null>(null);
  const wanted = user.trim();

  const submit = async () => {
    if (wanted === '' || busy) return;
    if (!isUserId(wanted)) {
      setWrong(true);
      return;
    }
    setBusy(true);
    setInvited(null);
    if (await invite(wanted)) {
      setUser('');
      setInvited(wanted);
    }
    setBusy(false);
  };

  return (
    <form
      className="invite"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <Field
        label={t.members.inviteLabel}
        placeholder={t.members.invitePlaceholder}
        autoCapitalize="none"
        value={user}
        onChange={(event) => {
          setUser(event.target.value);
          setWrong(false);
        }}
        error={wrong ? t.createRoom.badUser(wanted) : null}
      />
      <Button look="primary" type="submit" busy={busy} disabled={wanted === ''}>
        {t.members.invite}
      </Button>
      <p className="invite__done" role="status">
        {invited && t.members.invited(isolated(nameOf(invited)))}
      </p>
    </form>
  );
}
