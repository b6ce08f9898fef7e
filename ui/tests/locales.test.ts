import { describe, expect, it } from 'vitest';
import { catalogues, choose } from '../src/locales';
import { en } from '../src/locales/en';
import { numbers } from '../src/locales/numbers';
import problemCodes from '../src/bindings/ProblemCode.ts?raw';
import reasonCodes from '../src/bindings/ReasonCode.ts?raw';

/** Every message under its path. */
function messages(node: object, path = ''): Map<string, unknown> {
  const found = new Map<string, unknown>();
  for (const [key, value] of Object.entries(node)) {
    const here = path === '' ? key : `${path}.${key}`;
    if (typeof value === 'object' && value !== null) {
      for (const [below, message] of messages(value, here)) found.set(below, message);
    } else {
      found.set(here, value);
    }
  }
  return found;
}

const english = messages(en);
const translations = Object.entries(catalogues).filter(([locale]) => locale !== 'en');

describe.each(translations)('the catalogue %s', (_locale, catalogue) => {
  const translated = messages(catalogue);

  it('has the messages of the English one and no others', () => {
    expect([...translated.keys()].sort()).toEqual([...english.keys()].sort());
  });

  it.each([...english])('translates %s', (path, original) => {
    const message = translated.get(path);
    if (typeof original === 'function') {
      expect(message).toBeInstanceOf(Function);
      expect((message as { length: number }).length).toBe(original.length);
    } else {
      expect(message).not.toBe('');
      expect(message).not.toBe(original);
    }
  });
});

/** Every kind of failure that the agent knows, from what is generated of it. */
const codes = [problemCodes, reasonCodes].flatMap((text) =>
  [...text.slice(text.indexOf('export type')).matchAll(/"([a-z_]+)"/g)].map(([, code]) => code),
);

describe.each(translations)('failures in %s', (_locale, { failure }) => {
  it.each(codes.map(String))('of the kind %s have a title and an advice of their own', (code) => {
    const known = failure.known(code);
    expect(known?.title).toBeTruthy();
    expect(known?.advice).toBeTruthy();
    const others = codes
      .filter((other) => other !== code)
      .map((other) => failure.known(`${other}`));
    expect(others).not.toContain(known);
  });

  it('of a kind that came later are unexpected', () => {
    expect(failure.known('toString')).toBe(failure.known('internal'));
  });
});

describe('sizes', () => {
  it.each([
    [0, '0 bytes'],
    [1, '1 byte'],
    [999, '999 bytes'],
    [1_000, '1 kB'],
    [999_950, '1 MB'],
    [1_200_000_000, '1.2 GB'],
    [5_000_000_000_000_000_000, '5,000 PB'],
  ])('of %i bytes read %s', (bytes, words) => {
    expect(numbers('en').bytes(bytes)).toBe(words);
  });

  it('take the separator of the language', () => {
    expect(numbers('de').bytes(1_200_000_000).replace(/\s/u, ' ')).toBe('1,2 GB');
  });
});

describe('the language', () => {
  it('is the first preferred one that there is', () => {
    expect(choose(['fr-FR', 'de-AT', 'en'])).toBe('de');
  });

  it('is English when none of the preferred ones is there', () => {
    expect(choose(['fr', 'toString'])).toBe('en');
  });
});
