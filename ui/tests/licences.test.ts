import { render, screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';
import { found, load, textsOf } from '../src/about/licences';
import { en } from '../src/locales/en';
import WorkOfOthers from '../src/pages/about/WorkOfOthers.svelte';

test('work is found by all words of a search, in name or licence', async () => {
  const licences = await load();
  const names = (search: string) => found(licences, search).map(({ name }) => name);
  expect(names('')).toHaveLength(licences.components.length);
  expect(names('TAURI apache')).toEqual(['@tauri-apps/api']);
  expect(names('0bsd')).toEqual(['adler2']);
  expect(names('tokio apache')).toEqual([]);
});

test('a text that is not there is left out', async () => {
  const licences = await load();
  const [component] = licences.components;
  if (component === undefined) throw new Error('the sample has a component');
  expect(textsOf(licences, { ...component, texts: [1, 99] })).toHaveLength(1);
});

test('the list is shown when it is asked for, searched, and each text when it is opened', async () => {
  const user = userEvent.setup();
  render(WorkOfOthers, { words: en });
  expect(screen.queryByText(/tokio/)).not.toBeInTheDocument();
  await user.click(screen.getByRole('button', { name: en.licences.show }));
  const search = await screen.findByLabelText(en.licences.search);
  await waitFor(() => expect(search).toHaveFocus());
  await user.type(search, 'tokio');
  expect(screen.getByText(en.licences.count(1, 3))).toBeInTheDocument();
  expect(screen.queryByText(/^adler2/)).not.toBeInTheDocument();
  expect(screen.queryByText(/Permission is hereby granted/)).not.toBeInTheDocument();
  await user.click(screen.getByText(/^tokio/));
  expect(await screen.findByText(/Permission is hereby granted/)).toBeInTheDocument();
});
