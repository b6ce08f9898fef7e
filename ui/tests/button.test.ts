import { render, screen, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import axe from 'axe-core';
import { createRawSnippet } from 'svelte';
import { describe, expect, it, vi } from 'vitest';
import { Refused } from '../src/agent/transport';
import Button from '../src/design/components/Button.svelte';
import { de } from '../src/locales/de';
import { en } from '../src/locales/en';

const label = createRawSnippet(() => ({ render: () => '<span>Mount</span>' }));

function show(onpress: () => void | Promise<void>) {
  return render(Button, { words: en, onpress, done: 'Mounted.', children: label });
}

describe('a button', () => {
  it('acts once while its action runs, and keeps the focus', async () => {
    let finish: () => void = () => undefined;
    const promise = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const onpress = vi.fn(() => promise);
    show(onpress);
    const button = screen.getByRole('button', { name: 'Mount' });
    await userEvent.click(button);
    expect(button).toHaveTextContent('Working…');
    await userEvent.keyboard('{Enter}');
    expect(onpress).toHaveBeenCalledTimes(1);
    expect(button).toHaveFocus();
    finish();
    await vi.waitFor(() => {
      expect(button).toHaveTextContent(/^Mount$/);
    });
  });

  it('says why its action failed and tries again', async () => {
    const problem = {
      code: 'unreachable',
      message: 'The store did not answer',
      cause: 'connection refused',
      advice: 'Check the network.',
      retryable: true,
    } as const;
    const onpress = vi.fn().mockRejectedValueOnce(new Refused(problem));
    show(onpress);
    await userEvent.click(screen.getByRole('button', { name: 'Mount' }));
    for (const said of [problem.message, problem.cause, problem.advice, problem.code]) {
      expect(screen.getByRole('alert')).toHaveTextContent(said);
    }
    expect(screen.getByRole('status')).toHaveTextContent(/^$/);
    await userEvent.click(screen.getByRole('button', { name: 'Try again: Mount' }));
    expect(onpress).toHaveBeenCalledTimes(2);
    expect(screen.getByRole('alert')).toHaveTextContent(/^$/);
    expect(screen.getByRole('status')).toHaveTextContent('Mounted.');
  });

  it('says what failed in the language of the window, and what the agent said of it beside', async () => {
    const problem = {
      code: 'unreachable',
      message: 'The store did not answer',
      cause: 'connection refused',
      advice: 'Check the network.',
      retryable: true,
    } as const;
    const onpress = () => Promise.reject(new Refused(problem));
    render(Button, { words: de, onpress, children: label });
    await userEvent.click(screen.getByRole('button', { name: 'Mount' }));
    const alert = within(screen.getByRole('alert'));
    expect(alert.getByText('Ein Server antwortet nicht')).toBeInTheDocument();
    expect(alert.getByText(/^Netzwerk und Adresse prüfen/)).toBeInTheDocument();
    for (const said of [problem.message, problem.advice]) {
      expect(alert.getByText(said).closest('[lang]')).toHaveAttribute('lang', 'en');
    }
  });

  it('leaves what the window says itself as it is', async () => {
    render(Button, {
      words: de,
      onpress: () => Promise.reject(new Error('lost')),
      children: label,
    });
    await userEvent.click(screen.getByRole('button', { name: 'Mount' }));
    expect(screen.getByRole('alert')).toHaveTextContent(de.failure.notConnected);
    expect(screen.getByRole('alert')).not.toHaveTextContent(de.failure.detail);
  });

  it('calls what the agent does not offer not available instead of broken', async () => {
    const problem = {
      code: 'not_supported',
      message: 'The agent does not pause.',
      cause: null,
      advice: '',
      retryable: false,
    } as const;
    show(() => Promise.reject(new Refused(problem)));
    await userEvent.click(screen.getByRole('button', { name: 'Mount' }));
    expect(screen.getByRole('alert')).toHaveTextContent('Not available yet');
  });

  it('has no violation that axe finds', async () => {
    const { container } = show(() => undefined);
    // jsdom computes no layout, so contrast is the claim of the tokens' own test.
    const { violations } = await axe.run(container, {
      rules: { 'color-contrast': { enabled: false } },
    });
    expect(violations).toEqual([]);
  });
});
