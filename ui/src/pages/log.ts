/** The lines that hold all words of a search, in any case. */
export function matching(lines: readonly string[], search: string): string[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return lines.filter((line) => {
    const text = line.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
