import { render, screen, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { expect, test, vi } from 'vitest';
import { AgentStore } from '../src/agent/store.svelte';
import { Refused, type Transport } from '../src/agent/transport';
import type { Request } from '../src/bindings/Request';
import { en } from '../src/locales/en';
import { MockAgent } from '../src/mock/agent';
import { volumes } from '../src/mock/volumes';
import VolumeFiles from '../src/pages/files/VolumeFiles.svelte';
import { facts, isSettled, isShown, joined } from '../src/pages/files/place';

function mounted() {
  const volume = volumes().find(({ state }) => isShown(state));
  if (volume === undefined) throw new Error('the mock has no mounted volume');
  return volume;
}

function show(transport: Transport, volume = mounted()) {
  const store = new AgentStore(transport);
  return render(VolumeFiles, { words: en, store, volume });
}

function row(name: string): HTMLElement {
  const found = screen
    .getAllByRole('listitem')
    .find((item) => within(item).queryByText(name) !== null);
  if (found === undefined) throw new Error(`${name} is not shown`);
  return found;
}

const entry = {
  name: 'a',
  kind: 'file',
  size: 1200,
  modified: 0,
  state: 'partly',
  pinned: 'above',
  problem: null,
} as const;

test('where a file is and whether it is kept is said in words', () => {
  const said = facts(entry, en.files);
  expect(said[0]).toBe('1.2 kB');
  expect(said.slice(2)).toEqual(['Partly on this disk', 'kept with its folder']);
  const folder = facts({ ...entry, kind: 'folder', state: null, pinned: 'no' }, en.files);
  expect(folder).toHaveLength(2);
  expect(folder[0]).toBe('Folder');
});

test('a page of which something is on its way is not settled', () => {
  const page = (state: 'local' | 'waiting' | 'only_here') =>
    ({ entries: [{ ...entry, state }], next: null, pins: 'offered' }) as const;
  expect(isSettled({ ...page('local'), entries: [{ ...entry }] })).toBe(true);
  expect(isSettled({ ...page('waiting'), entries: [{ ...entry, state: 'waiting' }] })).toBe(false);
  expect(isSettled({ ...page('only_here'), entries: [{ ...entry, state: 'only_here' }] })).toBe(
    false,
  );
  expect(joined(['Projects', '2026'])).toBe('Projects/2026');
});

test('folders are entered and left by keys, and pages are turned', async () => {
  show(new MockAgent());
  await screen.findByText('Archive');
  await userEvent.click(screen.getByRole('button', { name: 'Next page' }));
  await screen.findByText('notes.txt');
  expect(screen.queryByText('Archive')).toBeNull();
  await userEvent.click(screen.getByRole('button', { name: 'Previous page' }));
  const folder = await screen.findByRole('button', { name: 'Projects' });
  folder.focus();
  await userEvent.keyboard('{Enter}');
  await screen.findByText('plan.svg');
  expect(screen.getByText('Projects')).toHaveAttribute('aria-current', 'page');
  expect(screen.getByText(/the store does not have it/)).toBeInTheDocument();
  await userEvent.tab();
  await userEvent.keyboard('{Enter}');
  await screen.findByText('Archive');
});

test('a file is kept here, and no longer', async () => {
  show(new MockAgent());
  await screen.findByText('interview.wav');
  await userEvent.click(within(row('interview.wav')).getByRole('button'));
  await screen.findByRole('button', { name: 'Keep no longer: interview.wav' });
  expect(row('interview.wav')).toHaveTextContent('kept on this computer');
  await userEvent.click(within(row('interview.wav')).getByRole('button'));
  await screen.findByRole('button', { name: 'Keep on this computer: interview.wav' });
});

test('what does not fit is said at the file, with the figures', async () => {
  const agent = new MockAgent();
  const ask = agent.ask.bind(agent);
  vi.spyOn(agent, 'ask').mockImplementation((request: Request) => {
    if (request.request !== 'file_pin') return ask(request);
    const message = '9.0 GiB would be pinned, and pins may take 8.0 GiB';
    const advice = 'Pin less.';
    return Promise.reject(
      new Refused({ code: 'disk_full', message, cause: null, advice, retryable: false }),
    );
  });
  show(agent);
  await screen.findByText('interview.wav');
  await userEvent.click(within(row('interview.wav')).getByRole('button'));
  expect(await within(row('interview.wav')).findByText(/8\.0 GiB/)).toBeInTheDocument();
});

test('nothing is shown that the agent did not say', async () => {
  const agent = new MockAgent();
  agent.modest = true;
  show(agent);
  expect(await screen.findByText('Not available yet')).toBeInTheDocument();
  expect(screen.queryByRole('list', { name: '' })).not.toHaveTextContent('Archive');
  agent.modest = false;
  await userEvent.click(screen.getByRole('button', { name: 'Look again' }));
  expect(await screen.findByText('Archive')).toBeInTheDocument();
});

test('a volume that is not mounted shows no files', () => {
  show(new MockAgent(), { ...mounted(), state: { state: 'stopped' } });
  expect(screen.getByText(en.files.notMounted)).toBeInTheDocument();
});
