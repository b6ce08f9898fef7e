import { render, screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { expect, onTestFinished, test, vi } from 'vitest';
import { addPair, answerPair, pausePair, previewPair } from '../src/agent/pairs';
import { AgentStore } from '../src/agent/store.svelte';
import { en } from '../src/locales/en';
import { MockAgent } from '../src/mock/agent';
import { pairs } from '../src/mock/pairs';
import {
  canRun,
  choose,
  isPaused,
  mostRemoved,
  patterns,
  previewFacts,
  reason,
  removals,
  ruled,
  runFacts,
  settingsOf,
  typed,
  USUAL,
  type Filled,
} from '../src/pages/sync/pair';
import PairDetail from '../src/pages/sync/PairDetail.svelte';

const filled: Filled = {
  ...USUAL,
  local: ' /home/ada/Papers ',
  volume: 'photos',
  folder: '/papers/2026/',
  mode: 'mirror',
  ignore: '*.part, , cache/',
  leftOut: ['raw'],
};

function byId(id: string) {
  const found = pairs().find((pair) => pair.id === id);
  if (found === undefined) throw new Error(`the mock has no ${id}`);
  return found;
}

async function heard(agent: MockAgent) {
  const store = new AgentStore(agent);
  await store.refresh();
  return store;
}

test('what was typed becomes settings without blanks and slashes at the ends', () => {
  expect(settingsOf(filled)).toEqual({
    local_folder: '/home/ada/Papers',
    volume: 'photos',
    volume_folder: 'papers/2026',
    mode: 'mirror',
    ignore: ['*.part', 'cache/'],
    left_out: ['raw'],
    guard: { files: 100, percent: 25 },
  });
  expect(patterns(' , ')).toEqual([]);
});

test('the rules of a pair read in their fields what they are', () => {
  const { settings } = byId('documents');
  const { mode, ignore, left_out, guard } = settings;
  expect(ruled(typed(settings))).toEqual({ mode, ignore, left_out, guard });
});

test.each([
  ['', '25'],
  ['many', '25'],
  ['100', ''],
  ['100', '101'],
  ['-1', '25'],
])('%s files and %s percent are no limits', (askFiles, askPercent) => {
  expect(ruled({ ...USUAL, askFiles, askPercent })).toBeUndefined();
  expect(settingsOf({ ...filled, askFiles, askPercent })).toBeUndefined();
});

test('a folder that is left out stands for those below it', () => {
  const some = choose(['a/b', 'a/b/c', 'ab', 'z'], 'a', false);
  expect(some).toEqual(['a', 'ab', 'z']);
  expect(choose(some, 'a', true)).toEqual(['ab', 'z']);
});

function shown(id: string) {
  const agent = new MockAgent();
  const store = new AgentStore(agent);
  const stop = store.start();
  onTestFinished(stop);
  render(PairDetail, { words: en, store, id });
  return { store, user: userEvent.setup() };
}

function settings(store: AgentStore, id: string) {
  return Array.isArray(store.pairs)
    ? store.pairs.find((pair) => pair.id === id)?.settings
    : undefined;
}

test('folders are chosen level by level, and saved with the other rules', async () => {
  const { store, user } = shown('documents');
  const { folders, form } = en.sync;
  await user.click(await screen.findByRole('button', { name: folders.choose }));
  expect(await screen.findByLabelText(/^Raw/)).not.toBeChecked();
  expect(screen.queryByRole('button', { name: folders.inside('Raw') })).not.toBeInTheDocument();
  await user.click(screen.getByRole('button', { name: folders.inside('Projects') }));
  await user.click(await screen.findByLabelText('2025'));
  expect(screen.getByText(folders.leftOut('Projects/2025, Raw'))).toBeInTheDocument();
  const percent = screen.getByLabelText(form.askPercent);
  await user.clear(percent);
  expect(screen.getByRole('button', { name: form.save })).toBeDisabled();
  await user.type(percent, '50');
  await user.click(screen.getByRole('button', { name: form.save }));
  await waitFor(() => {
    expect(settings(store, 'documents')).toMatchObject({
      left_out: ['Projects/2025', 'Raw'],
      guard: { files: 100, percent: 50 },
    });
  });
});

test('no version of a conflict goes before that was confirmed', async () => {
  const { user } = shown('documents');
  const { conflicts } = en.sync;
  await user.click(await screen.findByRole('button', { name: conflicts.original }));
  expect(screen.getByRole('button', { name: conflicts.wait })).toHaveFocus();
  await user.click(screen.getByRole('button', { name: /^Yes, delete report \(conflict/ }));
  await waitFor(() => {
    expect(screen.queryByRole('region', { name: conflicts.title })).not.toBeInTheDocument();
  });
});

test('nothing that is held can be run, and only what the person paused is resumed here', () => {
  expect(canRun(byId('scans').state)).toBe(false);
  expect(canRun(byId('documents').state)).toBe(true);
  expect(isPaused({ state: 'paused', all: false })).toBe(true);
  expect(isPaused({ state: 'paused', all: true })).toBe(false);
});

test('why a pair waits is said, and that changes are not heard of', () => {
  expect(reason(byId('scans'), en.sync)).toContain('not mounted');
  expect(reason(byId('documents'), en.sync)).toBeUndefined();
  expect(reason({ ...byId('documents'), watched: false }, en.sync)).toContain('next run');
});

test('a question says how many files go from where', () => {
  const { state } = byId('pictures');
  if (state.state !== 'asking') throw new Error('the mock asks nothing');
  expect(removals(state.preview, 'Photos', en.sync)).toBe('640 files from Photos');
  expect(mostRemoved(state.preview)).toBe(640);
});

test('counts of nothing are left out, but what is copied is always said', () => {
  const { state } = byId('pictures');
  if (state.state !== 'asking') throw new Error('the mock asks nothing');
  const names = previewFacts(state.preview, en.sync).map(({ name }) => name);
  expect(names).toEqual(['To the volume', 'To this computer', 'Removed from the volume']);
  const { last_run } = byId('documents');
  if (last_run === null) throw new Error('the mock did not run');
  const facts = runFacts(last_run, en.sync, en.quantity.bytes);
  expect(facts.map(({ value }) => value)).toEqual(['12 files', '1 file', '84 MB']);
});

test('a pair is added, paused and answered, and the window sees it at once', async () => {
  const agent = new MockAgent();
  const store = await heard(agent);
  const stop = store.start();
  const wanted = settingsOf(filled);
  if (wanted === undefined) throw new Error('the form is complete');
  const preview = await previewPair(store, null, wanted);
  expect(preview.to_volume).toBe(34);
  const id = await addPair(store, wanted);
  await pausePair(store, id, true);
  await answerPair(store, 'pictures', { answer: 'keep' });
  const state = (id: string) =>
    Array.isArray(store.pairs)
      ? store.pairs.find((pair) => pair.id === id)?.state.state
      : undefined;
  await vi.waitFor(() => expect(state(id)).toBe('paused'));
  await vi.waitFor(() => expect(state('pictures')).toBe('up_to_date'));
  stop();
});

test('an agent that keeps no pairs is still heard', async () => {
  const agent = new MockAgent();
  agent.modest = true;
  const store = await heard(agent);
  expect(store.pairs).toBe('not_offered');
  expect(store.connected).toBe(true);
});
