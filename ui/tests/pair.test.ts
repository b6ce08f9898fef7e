import { expect, test, vi } from 'vitest';
import { addPair, answerPair, pausePair, previewPair } from '../src/agent/pairs';
import { AgentStore } from '../src/agent/store.svelte';
import { en } from '../src/locales/en';
import { MockAgent } from '../src/mock/agent';
import { pairs } from '../src/mock/pairs';
import {
  canRun,
  isPaused,
  mostRemoved,
  patterns,
  previewFacts,
  reason,
  removals,
  runFacts,
  settingsOf,
} from '../src/pages/sync/pair';

const filled = {
  local: ' /home/ada/Papers ',
  volume: 'photos',
  folder: '/papers/2026/',
  mode: 'mirror',
  ignore: '*.part, , cache/',
} as const;

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
  });
  expect(patterns(' , ')).toEqual([]);
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
  const preview = await previewPair(store, null, settingsOf(filled));
  expect(preview.to_volume).toBe(34);
  const id = await addPair(store, settingsOf(filled));
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
