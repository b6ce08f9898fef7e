import { render, screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { expect, onTestFinished, test } from 'vitest';
import { AgentStore } from '../src/agent/store.svelte';
import { en } from '../src/locales/en';
import { MockAgent } from '../src/mock/agent';
import Activity from '../src/pages/Activity.svelte';
import Settings from '../src/pages/Settings.svelte';

function store(agent: MockAgent) {
  const store = new AgentStore(agent);
  onTestFinished(store.start());
  return store;
}

test('a rule that holds transfers is named, and leads to the settings', async () => {
  const agent = new MockAgent();
  agent.hold();
  render(Activity, { words: en, store: store(agent) });
  expect(await screen.findByText(en.activity.held.metered)).toBeInTheDocument();
  expect(screen.getByRole('link', { name: en.activity.rules })).toHaveAttribute(
    'href',
    '#/settings',
  );
  expect(screen.queryByText(en.activity.running)).not.toBeInTheDocument();
});

test('rules are chosen, and what they go by is said, also that it is not known', async () => {
  const agent = new MockAgent();
  const heard = store(agent);
  render(Settings, { words: en, store: heard });
  const user = userEvent.setup();
  await user.click(await screen.findByLabelText(en.settings.onBattery));
  expect(screen.getByText(en.settings.metered(false))).toBeInTheDocument();
  expect(screen.getByText(en.settings.battery(null))).toBeInTheDocument();
  await user.click(screen.getByRole('button', { name: en.settings.save }));
  await waitFor(() => expect(heard.settings?.hold_on_battery).toBe(true));
  expect(heard.settings?.hold_on_metered).toBe(false);
});
