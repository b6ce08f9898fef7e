import type { VolumeId } from '../bindings/VolumeId';

/** A page of the window, named by the part of the address after `#`. */
export type Route =
  | { page: 'volumes' }
  | { page: 'add'; way: 'join' | 'create' }
  | { page: 'volume'; name: VolumeId }
  | { page: 'activity' }
  | { page: 'settings' }
  | { page: 'diagnostics' };

/** The page that `hash` names; the volumes when it names none, so no address is a dead end. */
export function parse(hash: string): Route {
  const [page, name, ...rest] = hash.replace(/^#?\/?/, '').split('/');
  if (page === 'volume' && name && rest.length === 0) {
    const decoded = decode(name);
    return decoded === undefined ? { page: 'volumes' } : { page, name: decoded };
  }
  const alone = name === undefined;
  switch (page) {
    case 'add':
      if (alone) return { page, way: 'join' };
      return (name === 'join' || name === 'create') && rest.length === 0
        ? { page, way: name }
        : { page: 'volumes' };
    case 'activity':
    case 'settings':
    case 'diagnostics':
      return alone ? { page } : { page: 'volumes' };
    default:
      return { page: 'volumes' };
  }
}

/** The address of `route`, such that {@link parse} gives `route` back. */
export function format(route: Route): string {
  switch (route.page) {
    case 'volume':
      return `#/volume/${encodeURIComponent(route.name)}`;
    case 'add':
      return `#/add/${route.way}`;
    default:
      return `#/${route.page}`;
  }
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
