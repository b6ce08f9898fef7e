import { render, screen } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { describe, expect, it, test } from 'vitest';
import { options as readOptions } from '../src/agent/parts';
import { AgentStore } from '../src/agent/store.svelte';
import { limitsOf, parsed, typed } from '../src/forms/limits';
import { en } from '../src/locales/en';
import { MockAgent } from '../src/mock/agent';
import { options, sessions } from '../src/mock/parts';
import VolumeOptions from '../src/pages/options/VolumeOptions.svelte';
import { facts, ordered } from '../src/pages/sessions/session';

describe('limits', () => {
  const { limits } = options();

  it.each([0, 1, 1_073_741_824, 1_000_000_000_000])(
    'of %i bytes read back as they were',
    (bytes) => {
      expect(limitsOf(typed({ ...limits, capacity: bytes }))).toEqual({
        ...limits,
        capacity: bytes,
      });
    },
  );

  it.each(['x', '-1', '1e9', '0', '99999999999'])('of a capacity of %s do not do', (capacity) => {
    const fields = { ...typed(limits), capacity };
    expect(parsed(fields).capacity).toBeUndefined();
    expect(limitsOf(fields)).toBeUndefined();
  });

  it.each(['1.5', '4294967296', 'seven'])('of %s days do not do', (trashDays) => {
    expect(limitsOf({ ...typed(limits), trashDays })).toBeUndefined();
  });
});

test('this computer stands before the others, and what needs a look before the rest', () => {
  expect(ordered(sessions()).map(({ id }) => id)).toEqual([8, 7, 5, 3]);
});

test('a session whose beginning is no time is shown as it says itself', () => {
  const [session] = sessions();
  if (session === undefined) throw new Error('the mock has a session');
  const shown = facts({ ...session, since: 'a while ago' }, en.sessions);
  expect(shown).toContainEqual({ name: en.sessions.since, value: 'a while ago' });
});

test('what a person changed of a volume is told to the agent, and nothing that does not do', async () => {
  const user = userEvent.setup();
  const agent = new MockAgent();
  const store = new AgentStore(agent);
  render(VolumeOptions, { words: en, store, id: 'photos' });
  const days = await screen.findByLabelText(en.options.trashDays);
  const save = screen.getByRole('button', { name: en.options.save });
  await user.clear(days);
  await user.type(days, 'many');
  expect(save).toBeDisabled();
  await user.clear(days);
  await user.type(days, '30');
  await user.click(save);
  expect(await screen.findByText(en.options.saved)).toBeInTheDocument();
  expect((await readOptions(store, 'photos')).limits.trash_days).toBe(30);
});
