import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import ts from 'typescript-eslint';

export default ts.config(
  { ignores: ['dist', 'node_modules', 'src/bindings'] },
  js.configs.recommended,
  ...ts.configs.strict,
  ...svelte.configs.recommended,
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser } },
    // TypeScript and svelte-check resolve names; the rule knows neither the DOM's nor types.
    rules: { 'no-undef': 'off' },
  },
  {
    files: ['browser/**/*.mjs'],
    // Node's names, and those of the page for what is evaluated in it.
    languageOptions: {
      globals: {
        console: 'readonly',
        document: 'readonly',
        innerWidth: 'readonly',
        process: 'readonly',
        window: 'readonly',
      },
    },
  },
);
