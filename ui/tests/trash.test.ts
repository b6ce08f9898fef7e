import { render, screen, waitFor, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { describe, expect, it, test } from 'vitest';
import { AgentStore } from '../src/agent/store.svelte';
import { byHour, startTrash } from '../src/agent/trash';
import type { TrashEntry } from '../src/bindings/TrashEntry';
import { en } from '../src/locales/en';
import { MockAgent } from '../src/mock/agent';
import { trash } from '../src/mock/trash';
import { notes, older, olderThan, summary, total } from '../src/pages/trash/trash';
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

test('entries are named hour by hour', () => {
  const entries = ['a', 'b', 'a'].map((hour, number) => ({ hour, entry: String(number) }));
  expect(byHour(entries)).toEqual([
    { hour: 'a', entries: ['0', '2'] },
    { hour: 'b', entries: ['1'] },
  ]);
});

test('everything is not the same as what is older than nothing', () => {
  expect(older(0)).toEqual({ work: 'purge_all' });
  expect(older(7)).toEqual({ work: 'purge_older', seconds: 604_800 });
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

function shown() {
  const agent = new MockAgent();
  const store = new AgentStore(agent);
  render(Trash, { words: en, store, id: 'photos' });
  return { agent, store, user: userEvent.setup() };
}

/** A part of the page. */
async function part(name: string) {
  return within(await screen.findByRole('region', { name }));
}

/** Steps of time until something is to be seen; the page looks once a second. */
async function until(agent: MockAgent, seen: () => void) {
  await waitFor(
    () => {
      agent.tick();
      seen();
    },
    { timeout: 8_000, interval: 500 },
  );
}

test('what was chosen is restored, shows how far it is, and what was not says why', async () => {
  const { agent, user } = shown();
  await user.click(await screen.findByLabelText('/Iceland/index.html'));
  await user.click(screen.getByLabelText('/taken.txt'));
  await user.click(screen.getByRole('button', { name: en.trash.chosen.restore }));
  const work = await part(en.trash.job.title.restore);
  expect(work.getByText(en.trash.job.running.restore)).toBeInTheDocument();
  await waitFor(() => expect(work.getByRole('group')).toHaveFocus());
  expect(screen.getByRole('button', { name: en.trash.chosen.restore })).toBeDisabled();
  agent.tick();
  const bar = await work.findByRole('progressbar', {}, { timeout: 3_000 });
  await waitFor(
    () => expect(bar).toHaveAttribute('aria-valuetext', '1,200 of 2,400 entries done'),
    {
      timeout: 3_000,
    },
  );
  await until(agent, () => work.getByText('1 entry restored.'));
  expect(work.getByText(en.trash.outcome.name_taken)).toBeInTheDocument();
  await waitFor(() => {
    expect(screen.queryByLabelText('/Iceland/index.html')).not.toBeInTheDocument();
  });
  expect(await screen.findByLabelText('/taken.txt')).not.toBeChecked();
}, 15_000);

test('nothing is deleted for good before that was confirmed', async () => {
  const { agent, user } = shown();
  await user.click(await screen.findByLabelText('/taken.txt'));
  const chosen = await part(en.trash.chosen.title);
  await user.click(chosen.getByRole('button', { name: en.trash.chosen.purge }));
  expect(chosen.getByRole('button', { name: en.trash.chosen.keep })).toHaveFocus();
  expect(screen.getByLabelText('/taken.txt')).toBeInTheDocument();
  await user.click(chosen.getByRole('button', { name: en.trash.chosen.confirm(1) }));
  const work = await part(en.trash.job.title.purge);
  await until(agent, () => work.getByText(en.trash.purged(1)));
  await waitFor(() => {
    expect(screen.queryByLabelText('/taken.txt')).not.toBeInTheDocument();
  });
}, 15_000);

test('work on a trash is cancelled, and nothing is chosen any more', async () => {
  const { agent, user } = shown();
  await user.click(await screen.findByLabelText('/taken.txt'));
  await user.click(screen.getByRole('button', { name: en.trash.chosen.restore }));
  const work = await part(en.trash.job.title.restore);
  await user.click(work.getByRole('button', { name: en.job.cancel }));
  expect(await work.findByText(en.job.ending)).toBeInTheDocument();
  expect(work.getByRole('group')).toHaveFocus();
  await until(agent, () => work.getByText(/^Cancelled/));
  expect(await screen.findByLabelText('/taken.txt')).not.toBeChecked();
}, 15_000);

test('work that somebody else began is seen', async () => {
  const { store } = shown();
  await screen.findByLabelText('/taken.txt');
  await startTrash(store, 'photos', { work: 'purge_all' });
  await screen.findByText(en.trash.job.running.purge, {}, { timeout: 7_000 });
}, 10_000);
