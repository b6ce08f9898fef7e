/** A piece of somebody else's work that is in Moorage. */
export interface Component {
  name: string;
  version: string;
  /** As an SPDX expression. */
  licence: string;
  /** Where it comes from; null where it does not say. */
  source: string | null;
  /** What is passed on with it: places in the list of texts. */
  texts: number[];
}

/** All of them, by name. */
export interface Licences {
  components: Component[];
  /** Each text once. */
  texts: string[];
}

/** The work whose name or licence holds all words of a search, in any case. */
export function found({ components }: Licences, search: string): Component[] {
  const words = search.toLowerCase().split(/\s+/u).filter(Boolean);
  return components.filter(({ name, version, licence }) => {
    const text = `${name} ${version} ${licence}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** The texts of one of them. */
export function textsOf({ texts }: Licences, component: Component): string[] {
  return component.texts.map((place) => texts[place]).filter((text) => text !== undefined);
}

/** The list; it is a part of the pages that is read when somebody asks for it. */
export async function load(): Promise<Licences> {
  return (await import('virtual:licences')).default;
}
