import { useState } from 'react';
import { useWords } from '../i18n/language.js';
import { type Account, accountOf } from '../session/account.js';
import { Button } from '../ui/Button.js';
import { Field } from '../ui/Field.js';

/** Signing in with an access token from elsewhere. */
export function TokenForm({ onSignIn }: { onSignIn: (account: Account) => void }) {
  const { t } = useWords();
  const [token, setToken] = useState('');
  const [wrong, setWrong] = useState<'malformed' | 'expired' | null>(null);

  const submit = () => {
    const account = accountOf(token, Date.now());
    if (typeof account === 'string') setWrong(account);
    else onSignIn(account);
  };

  return (
    <form
      className="token-form"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <h2 className="sign-in__title">{t.signIn.tokenTitle}</h2>
      <p className="sign-in__hint">{t.signIn.tokenHint}</p>
      <Field
        label={t.signIn.tokenLabel}
        type="password"
        name="token"
        value={token}
        placeholder="eyJ…"
        onChange={(event) => {
          setToken(event.target.value);
          setWrong(null);
        }}
        error={wrong && (wrong === 'expired' ? t.signIn.tokenExpired : t.signIn.tokenMalformed)}
      />
      <Button look="primary" type="submit" disabled={token.trim() === ''}>
        {t.signIn.submit}
      </Button>
    </form>
  );
}
