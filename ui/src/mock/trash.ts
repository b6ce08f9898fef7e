import type { Request } from '../bindings/Request';
import type { Response } from '../bindings/Response';
import type { TrashEntry } from '../bindings/TrashEntry';
import type { TrashJob } from '../bindings/TrashJob';
import type { TrashPurged } from '../bindings/TrashPurged';
import type { TrashRestored } from '../bindings/TrashRestored';
import type { TrashWork } from '../bindings/TrashWork';
import { refused } from './refused';

const MB = 1_000_000;
const HOUR = '2026-01-05-09';
const EARLIER = '2025-11-20-17';
const SINCE = Date.UTC(2026, 0, 5, 9, 30);
const LONG_AGO = Date.UTC(2025, 10, 20, 17, 12);
/** Entries of half a work. */
const HALF = 1_200;
/** Entries of a page: few, so that a list has several. */
const PAGE = 4;

/** Requests about the trash of a volume. */
export type TrashRequest = Extract<Request, { request: `trash_${string}` }>;

export function isAboutTrash(request: Request): request is TrashRequest {
  return request.request.startsWith('trash_');
}

function entry(number: number, path: string, bytes: number): TrashEntry {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return {
    hour: HOUR,
    entry: `1-${String(number)}-${name}`,
    kind: 'file',
    name,
    cut: false,
    path,
    folder: 'there',
    removed: SINCE,
    bytes: bytes * MB,
    inside: 0,
  };
}

/** Something deleted in each way that a person has to understand. */
export function trash(): TrashEntry[] {
  return [
    { ...entry(11, '/Iceland/day-4', 0), kind: 'folder', inside: 2 },
    entry(12, '/Iceland/index.html', 1),
    entry(13, '/taken.txt', 2),
    { ...entry(14, '/Old/scan.pdf', 7), path: null, folder: 'gone' },
    { ...entry(15, '/Drafts/letter.odt', 3), folder: 'removed' },
    { ...entry(16, '/notes.md', 1), hour: EARLIER, removed: LONG_AGO },
  ];
}

function inside(): TrashEntry[] {
  return [
    { ...entry(21, '/Iceland/day-4/IMG_2301.raw', 48), folder: 'removed' },
    { ...entry(22, '/Iceland/day-4/IMG_2302.raw', 51), folder: 'removed' },
  ];
}

/** The trash of an agent within the page; each volume has the same. */
export class MockTrash {
  #entries: TrashEntry[];
  #job: TrashJob | null = null;
  #work: TrashWork | undefined;

  constructor(entries: TrashEntry[]) {
    this.#entries = entries;
  }

  answer(request: TrashRequest): Response {
    switch (request.request) {
      case 'trash_hours':
        return this.#hours();
      case 'trash_list':
        return this.#page(request);
      case 'trash_start':
        this.#start(request.work);
        break;
      case 'trash_cancel':
        this.#cancel();
        break;
      case 'trash_job':
        break;
    }
    return { response: 'trash_job', job: structuredClone(this.#job) };
  }

  /** One step of time for what is at work: it comes half way, and then to its end. */
  tick(): void {
    const state = this.#job?.state;
    if (state?.state !== 'running' || this.#job === null) return;
    const { progress } = state;
    if (state.ending) this.#job.state = { state: 'cancelled', ended: SINCE };
    else if (progress.done === 0) progress.done = HALF;
    else this.#end(this.#job);
  }

  #start(work: TrashWork): void {
    if (this.#job?.state.state === 'running')
      throw refused('This volume is restoring or deleting from its trash already.');
    const restores = work.work === 'restore';
    const named = restores || work.work === 'purge';
    this.#work = work;
    this.#job = {
      deed: restores ? 'restore' : 'purge',
      begun: SINCE,
      state: {
        state: 'running',
        progress: { phase: null, done: 0, total: named ? 2 * HALF : null, bytes: 0 },
        ending: false,
      },
      restored: [],
      purged: { deleted: false, hours: 0, entries: 0, missing: [], damaged: 0 },
    };
  }

  #cancel(): void {
    const state = this.#job?.state;
    if (state?.state !== 'running')
      throw refused('This volume is not restoring or deleting from its trash.');
    state.ending = true;
  }

  #end(job: TrashJob): void {
    const work = this.#work;
    job.state = { state: 'done', ended: SINCE };
    if (work?.work === 'restore') {
      job.restored = work.chosen.flatMap(({ hour, entries }) =>
        entries.map((name) => this.#restore(hour, name)),
      );
    } else if (work !== undefined) {
      job.purged = this.#purge(work);
    }
  }

  #hours(): Response {
    const hours = [HOUR, EARLIER].map((hour) => {
      const entries = this.#entries.filter((entry) => entry.hour === hour);
      return {
        hour,
        begins: hour === HOUR ? SINCE - 1_800_000 : LONG_AGO - 720_000,
        entries: entries.reduce((sum, { inside }) => sum + 1 + inside, 0),
        bytes: entries.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0),
      };
    });
    return { response: 'trash_hours', hours: { hours, damaged: 0, days: 60 } };
  }

  #page({ inside: folder, from }: Extract<TrashRequest, { request: 'trash_list' }>): Response {
    const all = folder === null ? this.#entries : inside();
    const begin = all.findIndex(({ entry }) => entry === from?.after) + 1;
    const entries = all.slice(begin, begin + PAGE);
    const last = entries.at(-1);
    const more = begin + PAGE < all.length && last !== undefined;
    const next = more ? { hour: last.hour, after: last.entry } : null;
    return { response: 'trash_page', page: { entries, damaged: 0, next } };
  }

  #restore(hour: string, name: string): TrashRestored {
    const found = [...this.#entries, ...inside()].find(({ entry }) => entry === name);
    const restored: TrashRestored = {
      entry: name,
      path: found?.path ?? null,
      outcome: 'not_there',
      folders: 0,
      inside: found?.inside ?? 0,
      left: 0,
    };
    if (found === undefined) return restored;
    if (found.folder === 'gone') return { ...restored, outcome: 'folder_gone' };
    if (found.name === 'taken.txt') return { ...restored, outcome: 'name_taken' };
    this.#entries = this.#entries.filter((entry) => entry.hour !== hour || entry.entry !== name);
    return { ...restored, outcome: 'restored' };
  }

  #purge(work: Exclude<TrashWork, { work: 'restore' }>): TrashPurged {
    const stays = (entry: TrashEntry) => {
      if (work.work === 'purge_all') return false;
      if (work.work === 'purge_older') return entry.hour === HOUR;
      return !work.chosen.some(
        ({ hour, entries }) => hour === entry.hour && entries.includes(entry.entry),
      );
    };
    const gone = this.#entries.filter((entry) => !stays(entry));
    this.#entries = this.#entries.filter(stays);
    const entries = gone.reduce((sum, { inside }) => sum + 1 + inside, 0);
    return { deleted: true, hours: 1, entries, missing: [], damaged: 0 };
  }
}
