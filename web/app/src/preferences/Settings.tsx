/** The settings: language and theme for all, and the account where one is signed in. */

import { useCallback, useId, useRef, useState } from 'react';
import { DICTIONARIES, useWords } from '../i18n/language.js';
import { QuietHours } from '../notifications/QuietHours.js';
import type { Account } from '../session/account.js';
import { Avatar } from '../ui/Avatar.js';
import { Button } from '../ui/Button.js';
import { Icon } from '../ui/Icon.js';
import { useValue } from '../ui/stored.js';
import { choose, LANGUAGES, preferences, THEMES } from './preferences.js';
import './Settings.css';

interface SettingsButtonProps {
  readonly account?: Account;
  readonly onSignOut?: () => void;
}

export function SettingsButton({ account, onSignOut }: SettingsButtonProps) {
  const { t, language } = useWords();
  const { theme } = useValue(preferences);
  const id = useId();
  const panel = useRef<HTMLDivElement>(null);
  const [choosesHours, setChoosesHours] = useState(false);
  const hoursChosen = useCallback(() => setChoosesHours(false), []);

  return (
    <>
      <button
        type="button"
        className={account ? 'settings-button' : 'settings-button settings-button--plain'}
        popoverTarget={id}
        aria-label={
          account
            ? `${t.settings.open} (${account.name})`
            : `${t.languageName}, ${t.settings.title}`
        }
        title={account ? t.settings.open : t.settings.title}
      >
        {account ? (
          <Avatar id={account.user} name={account.name} size={36} />
        ) : (
          <>
            <Icon name="globe" size={18} />
            {t.languageName}
          </>
        )}
      </button>
      <div
        ref={panel}
        id={id}
        popover="auto"
        role="dialog"
        aria-label={account ? t.settings.open : t.settings.title}
        className={account ? 'settings' : 'settings settings--end'}
      >
        {account && (
          <div className="settings__account">
            <Avatar id={account.user} name={account.name} size={48} />
            <div className="settings__names">
              <p className="settings__name">
                <bdi>{account.name}</bdi>
              </p>
              <p className="settings__user">@{account.user}</p>
            </div>
          </div>
        )}
        <Choice
          label={t.settings.language}
          options={LANGUAGES.map((code) => [code, DICTIONARIES[code].languageName] as const)}
          value={language}
          onChoose={(code) => choose({ language: code })}
        />
        <Choice
          label={t.settings.theme}
          options={THEMES.map((name) => [name, t.settings.themes[name]] as const)}
          value={theme}
          onChoose={(name) => choose({ theme: name })}
        />
        {account && (
          <Button
            icon="clock"
            onClick={() => {
              panel.current?.hidePopover();
              setChoosesHours(true);
            }}
          >
            {t.quietHours.title}
          </Button>
        )}
        {onSignOut && (
          <Button
            icon="leave"
            onClick={() => {
              panel.current?.hidePopover();
              onSignOut();
            }}
          >
            {t.settings.signOut}
          </Button>
        )}
      </div>
      {choosesHours && <QuietHours onClose={hoursChosen} />}
    </>
  );
}

interface ChoiceProps<T extends string> {
  readonly label: string;
  readonly options: readonly (readonly [value: T, text: string])[];
  readonly value: T;
  readonly onChoose: (value: T) => void;
}

function Choice<T extends string>({ label, options, value, onChoose }: ChoiceProps<T>) {
  const name = useId();
  return (
    <fieldset className="choice">
      <legend className="choice__label">{label}</legend>
      <div className="choice__options">
        {options.map(([option, text]) => (
          <label key={option} className="choice__option">
            <input
              type="radio"
              className="visually-hidden"
              name={name}
              checked={option === value}
              onChange={() => onChoose(option)}
            />
            <span className="choice__text">{text}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
