import { render, screen } from '@testing-library/svelte';
import { expect, test } from 'vitest';
import { AgentStore } from '../src/agent/store.svelte';
import type { Request } from '../src/bindings/Request';
import type { SecretStoreStatus } from '../src/bindings/SecretStoreStatus';
import { en } from '../src/locales/en';
import { MockAgent } from '../src/mock/agent';
import SecretStorePart from '../src/pages/SecretStorePart.svelte';

/** An agent that remembers what it was asked. */
class Asked extends MockAgent {
  requests: Request[] = [];
  override async ask(request: Request) {
    this.requests.push(request);
    return super.ask(request);
  }
}

function shown(status: SecretStoreStatus): Asked {
  const agent = new Asked();
  render(SecretStorePart, { words: en, store: new AgentStore(agent), status });
  return agent;
}

test('the page says which store is in use, and offers nothing for one that is open', () => {
  shown({ store: 'keyring', access: 'open', problem: null });
  expect(screen.getByText(en.settings.store.keyring)).toBeInTheDocument();
  expect(screen.queryByRole('button')).toBeNull();
});

test('a locked keyring is unlocked by a press, and the desktop asks for its password', async () => {
  const agent = shown({ store: 'keyring', access: 'locked', problem: null });
  expect(screen.queryByLabelText(en.settings.passphrase)).toBeNull();
  screen.getByRole('button', { name: en.settings.unlock }).click();
  await expect
    .poll(() => agent.requests[0])
    .toEqual({ request: 'secret_store_unlock', passphrase: null });
});

test('a locked file asks for its passphrase here', () => {
  shown({ store: 'encrypted_file', access: 'locked', problem: null });
  expect(screen.getByLabelText(en.settings.passphrase)).toHaveAttribute('type', 'password');
});

test('what is missing says why and what to do', () => {
  const problem = {
    code: 'keyring_missing',
    message: 'This session has no keyring.',
    cause: null,
    advice: 'Choose a file.',
    retryable: true,
  } as const;
  shown({ store: 'keyring', access: 'missing', problem });
  expect(screen.getByText(problem.message)).toBeInTheDocument();
  expect(screen.getByText(problem.advice)).toBeInTheDocument();
});
