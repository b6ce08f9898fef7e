import { render, screen } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { expect, it, vi } from 'vitest';
import { AgentStore } from '../src/agent/store.svelte';
import { en } from '../src/locales/en';
import { MockAgent } from '../src/mock/agent';
import LogViewer from '../src/pages/LogViewer.svelte';
import SelfTest from '../src/pages/SelfTest.svelte';

async function connected() {
  const store = new AgentStore(new MockAgent());
  await store.refresh();
  return store;
}

it('shows what came of each step of the self-test', async () => {
  render(SelfTest, { words: en, store: await connected() });
  await userEvent.click(screen.getByRole('button', { name: en.diagnostics.runTest }));
  await vi.waitFor(() => {
    expect(screen.getByText(en.add.step.trial_mount)).toBeInTheDocument();
  });
  expect(screen.getAllByText(en.add.outcome.passed).length).toBeGreaterThan(3);
});

it('shows the end of the log that was chosen, and the lines that are searched for', async () => {
  const store = await connected();
  const asked = vi.spyOn(store, 'log');
  render(LogViewer, { words: en, store });
  await userEvent.selectOptions(screen.getByLabelText(en.diagnostics.logOf), 'Photos');
  await userEvent.click(screen.getByRole('button', { name: en.diagnostics.showLog }));
  const log = await screen.findByRole<HTMLTextAreaElement>('textbox', {
    name: en.diagnostics.log,
  });
  expect(asked).toHaveBeenCalledWith(store.volumes?.[0]?.id);
  expect(log.value).toContain('WARN');
  await userEvent.type(screen.getByLabelText(en.diagnostics.search), 'no such line');
  expect(log).toHaveValue('');
});

it('drops a log when another one is chosen', async () => {
  render(LogViewer, { words: en, store: await connected() });
  await userEvent.click(screen.getByRole('button', { name: en.diagnostics.showLog }));
  await screen.findByRole('textbox', { name: en.diagnostics.log });
  await userEvent.selectOptions(screen.getByLabelText(en.diagnostics.logOf), 'Photos');
  expect(screen.queryByRole('textbox', { name: en.diagnostics.log })).toBeNull();
});
