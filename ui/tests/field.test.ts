import { render, screen } from '@testing-library/svelte';
import axe from 'axe-core';
import { describe, expect, it } from 'vitest';
import Field from '../src/design/components/Field.svelte';
import { en } from '../src/locales/en';

const props = { words: en.field, label: 'Name', value: '' };

describe('a field', () => {
  it('is named by its label and described by its hint and its problem', () => {
    render(Field, { ...props, hint: 'Lower case', problem: 'Taken' });
    const input = screen.getByRole('textbox', { name: 'Name' });
    expect(input).toBeInvalid();
    expect(input).toHaveAccessibleDescription('Lower case Taken');
  });

  it('is valid while there is no problem', () => {
    render(Field, props);
    expect(screen.getByRole('textbox', { name: 'Name' })).toBeValid();
  });

  it('does not show a secret', () => {
    render(Field, { ...props, secret: true });
    expect(screen.getByLabelText('Name')).toHaveAttribute('type', 'password');
  });

  it('has no violation that axe finds', async () => {
    const { container } = render(Field, { ...props, required: true, hint: 'Lower case' });
    const { violations } = await axe.run(container, {
      rules: { 'color-contrast': { enabled: false } },
    });
    expect(violations).toEqual([]);
  });
});
