import type { SyncPairId } from '../bindings/SyncPairId';
import type { VolumeId } from '../bindings/VolumeId';

/** The tabs of a volume, in the order in which they are shown; the first one needs no name in an address. */
export const VOLUME_TABS = ['overview', 'files', 'trash', 'sessions', 'health', 'options'] as const;

export type VolumeTab = (typeof VOLUME_TABS)[number];

/** A page of the window, named by the part of the address after `#`. */
export type Route =
  | { page: 'volumes' }
  | { page: 'add'; way: 'join' | 'create' }
  | { page: 'volume'; name: VolumeId; tab: VolumeTab }
  | { page: 'activity' }
  | { page: 'sync' }
  | { page: 'sync_add' }
  | { page: 'sync_pair'; name: SyncPairId }
  | { page: 'settings' }
  | { page: 'diagnostics' };

/** Stands where the name of a pair does; no pair is called so. */
const ADD = 'add';

/** The page that `hash` names; the volumes when it names none, so no address is a dead end. */
export function parse(hash: string): Route {
  const [page, name, ...rest] = hash.replace(/^#?\/?/, '').split('/');
  if (page === 'volume' && name && rest.length <= 1) {
    const decoded = decode(name);
    if (decoded === undefined) return { page: 'volumes' };
    const [wanted] = rest;
    const tab = VOLUME_TABS.find((tab) => tab === wanted) ?? VOLUME_TABS[0];
    return { page, name: decoded, tab };
  }
  if (page === 'sync' && name !== undefined) {
    const decoded = rest.length === 0 && name !== '' ? decode(name) : undefined;
    if (decoded === undefined) return { page };
    return decoded === ADD ? { page: 'sync_add' } : { page: 'sync_pair', name: decoded };
  }
  const alone = name === undefined;
  switch (page) {
    case 'add':
      if (alone) return { page, way: 'join' };
      return (name === 'join' || name === 'create') && rest.length === 0
        ? { page, way: name }
        : { page: 'volumes' };
    case 'activity':
    case 'sync':
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
      return `#/volume/${encodeURIComponent(route.name)}/${route.tab}`;
    case 'add':
      return `#/add/${route.way}`;
    case 'sync_add':
      return `#/sync/${ADD}`;
    case 'sync_pair':
      return `#/sync/${encodeURIComponent(route.name)}`;
    default:
      return `#/${route.page}`;
  }
}

/** Whether a turn from `before` to `after` stays on one page, as from one tab of a volume to another. */
export function isSamePage(before: Route, after: Route): boolean {
  if (before.page === 'volume' && after.page === 'volume') return before.name === after.name;
  return format(before) === format(after);
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
