import { de } from './de';
import { en, type Catalogue } from './en';

/** Every language of the window, under its BCP 47 tag. */
export const catalogues = { en, de } satisfies Record<string, Catalogue>;

/** What each language calls itself. */
export const names: Record<Locale, string> = { en: 'English', de: 'Deutsch' };

export type Locale = keyof typeof catalogues;

function isLocale(tag: string): tag is Locale {
  return Object.hasOwn(catalogues, tag);
}

/** The first of the `preferred` BCP 47 tags that there is a catalogue for; English when none. */
export function choose(preferred: readonly string[]): Locale {
  for (const tag of preferred) {
    const language = tag.toLowerCase().split('-')[0];
    if (language !== undefined && isLocale(language)) return language;
  }
  return 'en';
}
