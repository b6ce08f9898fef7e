import { describe, expect, it } from 'vitest';
import type { Truth } from '../src/bindings/Truth';
import { catalogues } from '../src/locales';
import { sentence } from '../src/truth/sentence';

const { en, de } = catalogues;

function onlyHere(files: number, bytes: number): Truth {
  return { truth: 'only_here', files, bytes, oldest: null };
}

describe('the sentence of truth', () => {
  it('calls the files safe when the agent says so', () => {
    expect(sentence({ truth: 'stored' }, en)).toBe('All files are safely stored');
  });

  it('counts what exists only here', () => {
    const truth = onlyHere(3, 1_200_000_000);
    expect(sentence(truth, en)).toBe('3 files, 1.2 GB, exist only on this computer');
    expect(sentence(truth, de).replace(/\s/gu, ' ')).toBe(
      '3 Dateien (1,2 GB) liegen nur auf diesem Computer',
    );
  });

  it('speaks of one file in the singular', () => {
    expect(sentence(onlyHere(1, 5), en)).toBe('1 file, 5 bytes, exists only on this computer');
  });

  it('names what is lost', () => {
    const truth: Truth = { truth: 'lost', message: 'photos: /a' };
    expect(sentence(truth, en)).toBe('Data is lost: photos: /a');
    expect(sentence(truth, de)).toBe('Daten sind verloren: photos: /a');
  });

  it('says why it is not known', () => {
    expect(sentence({ truth: 'unknown', message: 'disk error' }, en)).toContain('disk error');
  });

  it.each([
    undefined,
    onlyHere(0, 1),
    onlyHere(1, 0),
    { truth: 'unknown', message: '' } as const,
    { truth: 'lost', message: '' } as const,
  ])('never calls files safe where the agent does not: %o', (truth) => {
    for (const catalogue of [en, de]) {
      expect(sentence(truth, catalogue)).not.toBe(catalogue.truth.stored);
    }
  });
});
