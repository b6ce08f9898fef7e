import type { FileEntry } from '../bindings/FileEntry';
import type { FilePage } from '../bindings/FilePage';

const MOMENT = Date.UTC(2026, 8, 14, 9, 30);
/** Entries of a page: few, so that a folder of the example has two. */
const PAGE = 6;

function entry(name: string, size: number, more: Partial<FileEntry> = {}): FileEntry {
  return {
    name,
    kind: 'file',
    size,
    modified: MOMENT,
    state: 'remote',
    pinned: 'no',
    problem: null,
    ...more,
  };
}

function folder(name: string, more: Partial<FileEntry> = {}): FileEntry {
  return entry(name, 0, { kind: 'folder', state: null, ...more });
}

/** Folders by their paths. */
function examples(): Map<string, FileEntry[]> {
  return new Map([
    [
      '',
      [
        folder('Archive'),
        folder('Projects', { pinned: 'own' }),
        entry('budget 2026.ods', 184_320, { state: 'local' }),
        entry('contract-with-a-rather-long-name-that-has-no-spaces.pdf', 2_400_000),
        entry('interview.wav', 812_000_000, { state: 'partly' }),
        entry('minutes.odt', 31_200, { state: 'only_here' }),
        entry('latest', 0, { kind: 'other', state: null }),
        entry('notes.txt', 900, { state: 'local', pinned: 'own' }),
      ],
    ],
    [
      'Projects',
      [
        entry('model.blend', 96_000_000, {
          state: 'waiting',
          pinned: 'above',
          problem: 'chunks/0/0/4711_0_4194304: the store does not have it',
        }),
        entry('plan.svg', 48_000, { state: 'local', pinned: 'above' }),
      ],
    ],
    ['Archive', []],
  ]);
}

/** The files of a volume in the mock. */
export class MockFiles {
  #folders = examples();

  page(path: string, after: string | null): FilePage {
    const all = this.#folders.get(path) ?? [];
    const begin = after === null ? 0 : Number(after);
    const entries = all.slice(begin, begin + PAGE);
    const end = begin + entries.length;
    return {
      entries: structuredClone(entries),
      next: end < all.length ? `${end}` : null,
      pins: 'offered',
    };
  }

  pin(path: string, pinned: boolean): void {
    const cut = path.lastIndexOf('/');
    const inside = this.#folders.get(path.slice(0, Math.max(cut, 0))) ?? [];
    const found = inside.find(({ name }) => name === path.slice(cut + 1));
    if (found === undefined) return;
    found.pinned = pinned ? 'own' : 'no';
    if (pinned && found.kind === 'file') found.state = 'local';
  }
}
