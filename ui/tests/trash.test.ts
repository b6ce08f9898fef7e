import { render, screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { describe, expect, it, test } from 'vitest';
import { AgentStore } from '../src/agent/store.svelte';
import { byHour, MOST_CHOSEN } from '../src/agent/trash';
import type { TrashEntry } from '../src/bindings/TrashEntry';
import { en } from '../src/locales/en';
import { MockAgent } from '../src/mock/agent';
import { trash } from '../src/mock/trash';
import { notes, olderThan, summary, total } from '../src/pages/trash/trash';
import Trash from '../src/pages/trash/Trash.svelte';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

function hour(begins: number | null, entries: number | null = 1) {
  return { hour: 'x', begins, entries, bytes: entries === null ? null : 4096 };
}

describe('hours', () => {
  it('are older than a time only when they were over by then', () => {
    const now = 100 * DAY;
    const over = hour(now - DAY - HOUR);
    const open = hour(now - DAY - HOUR + 1);
    expect(olderThan([over, open, hour(null)], 1, now)).toEqual([over]);
    expect(olderThan([over, open], 0, now)).toEqual([over, open]);
  });

  it('are not summed up when one of them is not counted', () => {
    expect(total([hour(0, 2), hour(0, 3)])).toEqual({ entries: 5, bytes: 8192 });
    expect(total([hour(0, 2), hour(0, null)])).toBeUndefined();
  });

  it('tell when the trash is off, and what can not be read', () => {
    const sentences = summary({ hours: [], damaged: 2, days: 0 }, en.trash);
    expect(sentences[0]).toBe(en.trash.off);
    expect(sentences[1]).toContain('2 entries can not be read');
  });
});

test('entries are named hour by hour, no more at once than a request takes', () => {
  const many = Array.from({ length: MOST_CHOSEN + 1 }, (_, number) => ({
    hour: 'a',
    entry: String(number),
  }));
  const batches = byHour([...many, { hour: 'b', entry: 'x' }]);
  expect(batches.map(({ hour, names }) => [hour, names.length])).toEqual([
    ['a', MOST_CHOSEN],
    ['a', 1],
    ['b', 1],
  ]);
});

test('an entry tells what a person has to know before restoring it', () => {
  const of = (name: string) => {
    const found = trash().find((entry) => entry.name === name) as TrashEntry;
    return notes(found, en.trash).join(' ');
  };
  expect(of('day-4')).toContain('deleted with 2 entries inside');
  expect(of('scan.pdf')).toContain(en.trash.gone);
  expect(of('letter.odt')).toContain(en.trash.removed);
});

test('what was chosen is restored, and what was not says why', async () => {
  const user = userEvent.setup();
  const store = new AgentStore(new MockAgent());
  render(Trash, { words: en, store, id: 'photos' });
  await user.click(await screen.findByLabelText('/Iceland/index.html'));
  await user.click(screen.getByLabelText('/taken.txt'));
  await user.click(screen.getByRole('button', { name: en.trash.chosen.restore }));
  expect(await screen.findByText('1 entry restored.')).toBeInTheDocument();
  expect(screen.getByText(en.trash.outcome.name_taken)).toBeInTheDocument();
  expect(await screen.findByLabelText('/taken.txt')).not.toBeChecked();
  await waitFor(() => {
    expect(screen.queryByLabelText('/Iceland/index.html')).not.toBeInTheDocument();
  });
});

test('nothing is deleted for good before that was confirmed', async () => {
  const user = userEvent.setup();
  const store = new AgentStore(new MockAgent());
  render(Trash, { words: en, store, id: 'photos' });
  await user.click(await screen.findByLabelText('/taken.txt'));
  await user.click(
    screen.getAllByRole('button', { name: en.trash.chosen.purge })[0] as HTMLElement,
  );
  expect(screen.getByRole('button', { name: en.trash.chosen.keep })).toHaveFocus();
  expect(screen.getByLabelText('/taken.txt')).toBeInTheDocument();
  await user.click(screen.getByRole('button', { name: en.trash.chosen.confirm(1) }));
  expect(await screen.findByText(en.trash.purged(1))).toBeInTheDocument();
  await waitFor(() => {
    expect(screen.queryByLabelText('/taken.txt')).not.toBeInTheDocument();
  });
});
