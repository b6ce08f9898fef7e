import { expect, test } from 'vitest';
import { matching } from '../src/pages/log';

const lines = ['WARN the store does not answer', 'INFO mounting volume="Photos"', 'ERROR store'];

test('a search finds the lines that hold all its words, in any case', () => {
  expect(matching(lines, 'store warn')).toEqual([lines[0]]);
  expect(matching(lines, '  STORE ')).toEqual([lines[0], lines[2]]);
  expect(matching(lines, 'nothing')).toEqual([]);
});

test('without a search all lines are there', () => {
  expect(matching(lines, ' ')).toEqual(lines);
});
