/** Bytes of the unit that a limit is typed in. */
const MEGABYTE = 1_000_000;

/** What a limit in bytes a second reads in its field; empty for none. */
export function inMegabytes(bytes: number | null): string {
  return bytes === null ? '' : String(bytes / MEGABYTE);
}

/** The limit that was typed, in bytes a second; `null` for none, absent when it is no number above 0. */
export function limit(megabytes: string): number | null | undefined {
  const text = megabytes.trim().replace(',', '.');
  if (text === '') return null;
  if (!/^\d+(\.\d+)?$/.test(text)) return undefined;
  const bytes = Math.round(Number(text) * MEGABYTE);
  return bytes > 0 && Number.isSafeInteger(bytes) ? bytes : undefined;
}
