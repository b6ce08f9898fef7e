/** A metadata address without its password, and the password. */
export interface Parted {
  url: string;
  password: string | undefined;
}

/** Whether `url` begins with an engine, as `redis://…` does. */
export function namesEngine(url: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\/./i.test(url.trim());
}

/**
 * Takes the password out of an address as people paste it: `redis://me:secret@server/1`.
 *
 * It lies between the first `:` and the last `@` before the server; a password may hold `@`, `/` and `?`.
 * The path of a local file holds none.
 */
export function part(text: string): Parted {
  const url = text.trim();
  const [, scheme, rest] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/i.exec(url) ?? [];
  if (scheme === undefined || rest === undefined || scheme.startsWith('sqlite')) {
    return { url, password: undefined };
  }
  const at = rest.lastIndexOf('@');
  const colon = rest.indexOf(':');
  if (at < 0 || colon < 0 || colon > at || colon + 1 === at) return { url, password: undefined };
  const user = rest.slice(0, colon);
  const server = rest.slice(at + 1);
  return {
    url: user === '' ? `${scheme}://${server}` : `${scheme}://${user}@${server}`,
    password: decoded(rest.slice(colon + 1, at)),
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
