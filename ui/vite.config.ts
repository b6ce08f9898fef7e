import { svelte } from '@sveltejs/vite-plugin-svelte';
import { svelteTesting } from '@testing-library/svelte/vite';
import { defineConfig } from 'vitest/config';
import { licences } from './build/licences.mjs';

export default defineConfig({
  base: './',
  plugins: [svelte(), svelteTesting(), licences()],
  test: {
    environment: 'jsdom',
    // Without it a style sheet is empty, and the contrast of its colours is not seen.
    css: true,
    setupFiles: ['./tests/setup.ts'],
    include: ['tests/**/*.test.ts'],
  },
});
