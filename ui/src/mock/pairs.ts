import { Refused } from '../agent/transport';
import type { Request } from '../bindings/Request';
import type { Response } from '../bindings/Response';
import type { SyncFolders } from '../bindings/SyncFolders';
import type { SyncPair } from '../bindings/SyncPair';
import type { SyncPairSettings } from '../bindings/SyncPairSettings';
import type { SyncPreview } from '../bindings/SyncPreview';
import type { SyncState } from '../bindings/SyncState';

const MB = 1_000_000;
const SINCE = Date.UTC(2026, 0, 5, 9, 30);
const FULL_SCAN = 300_000;

/** Requests about pairs. */
export type PairRequest = Extract<
  Request,
  { request: 'sync_pairs' } | { request: `sync_pair_${string}` }
>;

export function isAboutPairs(request: Request): request is PairRequest {
  return request.request.startsWith('sync_pair');
}

const NOTHING: SyncPreview = {
  known: 0,
  to_local: 0,
  to_local_bytes: 0,
  to_volume: 0,
  to_volume_bytes: 0,
  removed_local: 0,
  removed_volume: 0,
  comparisons: 0,
  special: 0,
  unreadable: 0,
  asks: false,
};

function pair(id: string, folder: string, state: SyncState): SyncPair {
  return {
    id,
    settings: {
      local_folder: `/home/ada/${folder}`,
      volume: 'photos',
      volume_folder: folder.toLowerCase(),
      mode: 'two_way',
      ignore: ['*.part'],
      left_out: [],
      guard: { files: 100, percent: 25 },
    },
    state,
    last_run: {
      ended: SINCE,
      copied_local: 0,
      copied_volume: 12,
      copied_bytes: 84 * MB,
      removed_local: 0,
      removed_volume: 1,
      conflicts: 0,
      postponed: 0,
      failed: 0,
      failures: [],
    },
    next_run: SINCE + FULL_SCAN,
    conflicts: [],
    watched: true,
  };
}

/** A pair in each state that a person has to understand. */
export function pairs(): SyncPair[] {
  const documents = pair('documents', 'Documents', { state: 'up_to_date' });
  documents.conflicts = [
    {
      path: 'report.odt',
      copy: 'report (conflict studio 2026-01-05 09-30-00).odt',
      side: 'local',
      since: SINCE,
    },
  ];
  documents.settings.left_out = ['Raw'];
  const pictures = pair('pictures', 'Pictures', {
    state: 'asking',
    preview: { ...NOTHING, known: 812, removed_volume: 640, asks: true },
  });
  const music = pair('music', 'Music', { state: 'incomplete' });
  if (music.last_run !== null) {
    music.last_run.failed = 2;
    music.last_run.failures = [
      {
        path: 'Live/set.flac',
        problem: {
          code: 'permission_denied',
          message: 'reading /home/ada/Music/Live/set.flac',
          cause: 'Permission denied',
          advice: 'Make it readable for this user.',
          retryable: false,
        },
      },
    ];
  }
  const scans: SyncPair = {
    ...pair('scans', 'Scans', { state: 'waiting' }),
    last_run: null,
    next_run: null,
    watched: false,
  };
  scans.settings.volume = 'archive';
  scans.settings.mode = 'back_up';
  return [documents, pictures, music, scans];
}

/** The pairs of an agent within the page. */
export class MockPairs {
  #pairs: SyncPair[];
  #made = 0;

  constructor(pairs: SyncPair[]) {
    this.#pairs = pairs;
  }

  answer(request: PairRequest): Response {
    switch (request.request) {
      case 'sync_pairs':
        return { response: 'sync_pairs', pairs: structuredClone(this.#pairs) };
      case 'sync_pair_add':
        return one(this.#add(request.settings));
      case 'sync_pair_preview':
        return {
          response: 'sync_preview',
          preview: { ...NOTHING, to_volume: 34, to_volume_bytes: 210 * MB, comparisons: 3 },
        };
      case 'sync_pair_remove':
        this.#find(request.id);
        this.#pairs = this.#pairs.filter(({ id }) => id !== request.id);
        return { response: 'done' };
      case 'sync_pair_change':
        return one(Object.assign(this.#find(request.id), { settings: request.settings }));
      case 'sync_pair_pause':
        return this.#become(
          request.id,
          request.paused ? { state: 'paused', all: false } : { state: 'up_to_date' },
        );
      case 'sync_pair_folders':
        return { response: 'sync_folders', folders: folders(request.inside) };
      case 'sync_pair_resolve': {
        const found = this.#find(request.id);
        found.conflicts = found.conflicts.filter(({ copy }) => copy !== request.conflict.copy);
        return one(found);
      }
      case 'sync_pair_run':
      case 'sync_pair_answer':
        return this.#become(request.id, { state: 'up_to_date' });
    }
  }

  #add(settings: SyncPairSettings): SyncPair {
    this.#made += 1;
    const added: SyncPair = {
      ...pair(`made-${String(this.#made)}`, '', { state: 'up_to_date' }),
      settings,
    };
    this.#pairs.push(added);
    return added;
  }

  #become(id: string, state: SyncState): Response {
    return one(Object.assign(this.#find(id), { state }));
  }

  #find(id: string): SyncPair {
    const found = this.#pairs.find((pair) => pair.id === id);
    if (found !== undefined) return found;
    throw new Refused({
      code: 'not_found',
      message: `There is no sync pair “${id}”.`,
      cause: null,
      advice: '',
      retryable: false,
    });
  }
}

function folders(inside: string): SyncFolders {
  const of = (name: string, local = true, volume = true) => ({ name, local, volume });
  if (inside === '') {
    return { folders: [of('Drafts', true, false), of('Projects'), of('Raw', false)], more: 0 };
  }
  return { folders: inside === 'Projects' ? [of('2025'), of('2026')] : [], more: 0 };
}

function one(pair: SyncPair): Response {
  return { response: 'sync_pair', pair: structuredClone(pair) };
}
