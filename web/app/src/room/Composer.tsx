/** Where one writes: grows with the text, keeps it as a draft, sends on Enter. */

import { ChatError } from '@allibe/client';
import { type KeyboardEvent, type RefObject, useId, useLayoutEffect } from 'react';
import { errorText, useWords } from '../i18n/language.js';
import { useMe } from '../people/people.js';
import { Icon } from '../ui/Icon.js';
import { useToast } from '../ui/Toasts.js';
import { contentSize, toSend } from './content-size.js';
import { keepDraft, useDraft } from './drafts.js';
import './Composer.css';

interface ComposerProps {
  readonly roomId: string;
  readonly roomName: string;
  readonly field: RefObject<HTMLTextAreaElement | null>;
  /** Throws `ChatError` where it is not taken. */
  readonly onSend: (content: string) => void;
  /** Called with each change to a text that is not empty. */
  readonly onType: () => void;
}

export function Composer({ roomId, roomName, field, onSend, onType }: ComposerProps) {
  const { t } = useWords();
  const { user } = useMe();
  const toast = useToast();
  const text = useDraft(user, roomId);
  const size = contentSize(text);
  const content = toSend(text);
  const canSend = content !== '' && !size.over;
  const hintId = useId();
  useGrowing(field, text);

  const send = () => {
    if (!canSend) return;
    try {
      onSend(content);
      keepDraft(user, roomId, '');
    } catch (error) {
      // The text stays: nothing that was typed is lost.
      toast(errorText(t, error instanceof ChatError ? error : { code: 'other' }));
    }
    field.current?.focus();
  };

  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <div className="composer__box" data-over={size.over}>
        <textarea
          ref={field}
          className="composer__field"
          dir="auto"
          rows={1}
          enterKeyHint="send"
          aria-label={t.composer.label(roomName)}
          aria-describedby={size.near ? hintId : undefined}
          aria-invalid={size.over}
          placeholder={t.composer.placeholder}
          value={text}
          onChange={({ target: { value } }) => {
            keepDraft(user, roomId, value);
            if (value.trim() !== '') onType();
          }}
          onKeyDown={(event) => {
            if (!sends(event)) return;
            event.preventDefault();
            send();
          }}
        />
        {size.near && (
          <p id={hintId} className="composer__left">
            {size.over ? t.composer.over(-size.left) : t.composer.left(size.left)}
          </p>
        )}
        <button
          type="submit"
          className="composer__send"
          aria-label={t.composer.send}
          title={t.composer.send}
          disabled={!canSend}
        >
          <Icon name="send" />
        </button>
      </div>
    </form>
  );
}

/** In place of the composer where one may not write. */
export function NoComposer() {
  const { t } = useWords();
  return <p className="composer composer--none">{t.composer.ended}</p>;
}

/**
 * Whether the key sends: Enter without Shift, unless it only ends the composing of a syllable
 * (한글, かな). Safari ends the composing before the key comes, and says so with key code 229.
 */
export function sends({ key, shiftKey, keyCode, nativeEvent }: KeyboardEvent): boolean {
  return key === 'Enter' && !shiftKey && !nativeEvent.isComposing && keyCode !== 229;
}

/** For browsers without `field-sizing: content`: as high as the text, up to the CSS's maximum. */
function useGrowing(field: RefObject<HTMLTextAreaElement | null>, text: string): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: another text has another height
  useLayoutEffect(() => {
    const element = field.current;
    if (!element || CSS.supports('field-sizing', 'content')) return;
    element.style.blockSize = 'auto';
    element.style.blockSize = `${element.scrollHeight}px`;
  }, [field, text]);
}
