import { svelte } from '@sveltejs/vite-plugin-svelte';
import { svelteTesting } from '@testing-library/svelte/vite';
import { defineConfig } from 'vitest/config';
import { licences } from './build/licences.mjs';

export default defineConfig({
  base: './',
  plugins: [svelte(), svelteTesting(), licences()],
  test: {
    environment: 'jsdom',
    // Colours are looked at; the styles of components are not, and with them jsdom takes four times as long for every
    // button that is looked for by its role, or pressed.
    css: { include: [/tokens\.css/] },
    setupFiles: ['./tests/setup.ts'],
    include: ['tests/**/*.test.ts'],
  },
});
