/** Gives the words and formats of the chosen language to all below. */

import type { ChatError } from '@allibe/client';
import { createContext, type ReactNode, useContext, useLayoutEffect, useMemo } from 'react';
import { type Language, preferences } from '../preferences/preferences.js';
import { useValue } from '../ui/stored.js';
import type { Dictionary } from './dictionary.js';
import { en } from './en.js';
import { type Formats, formatsFor } from './formats.js';
import { ko } from './ko.js';

export const DICTIONARIES: Readonly<Record<Language, Dictionary>> = { ko, en };

export interface Words {
  readonly language: Language;
  readonly t: Dictionary;
  readonly format: Formats;
}

const WordsContext = createContext<Words | null>(null);

export function LanguageProvider({ children }: { children: ReactNode }) {
  const chosen = useValue(preferences).language;
  const language = chosen ?? languageOf(navigator.languages);
  const words = useMemo(() => wordsIn(language), [language]);
  useLayoutEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  return <WordsContext.Provider value={words}>{children}</WordsContext.Provider>;
}

export function useWords(): Words {
  const words = useContext(WordsContext);
  if (words === null) throw new Error('useWords works only below <LanguageProvider>.');
  return words;
}

export function wordsIn(language: Language): Words {
  const t = DICTIONARIES[language];
  return { language, t, format: formatsFor(language, t.days) };
}

/** The first of the reader's languages that the page speaks; English where it speaks none. */
export function languageOf(languages: readonly string[]): Language {
  for (const language of languages) {
    if (/^ko\b/i.test(language)) return 'ko';
    if (/^en\b/i.test(language)) return 'en';
  }
  return 'en';
}

/** Says to a person what went wrong. */
export function errorText(t: Dictionary, error: Pick<ChatError, 'code'>): string {
  return (Object.hasOwn(t.errors, error.code) ? t.errors[error.code] : null) ?? t.errors.other;
}
