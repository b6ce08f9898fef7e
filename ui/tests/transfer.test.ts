import { expect, test } from 'vitest';
import { transfers } from '../src/mock/transfers';
import { grouped, secondsLeft } from '../src/pages/transfer';

test('transfers stand by what a person does about them', () => {
  const groups = grouped(transfers());
  expect(groups.now).toHaveLength(1);
  expect(groups.waiting).toHaveLength(1);
  expect(groups.history).toHaveLength(1);
});

test('what failed for one cause is said once', () => {
  const { failed } = grouped(transfers());
  expect(failed).toHaveLength(1);
  expect(failed[0]?.transfers.map(({ id }) => id)).toEqual([3, 4]);
});

test('the time that is left follows from the rate, and is not guessed without one', () => {
  const [running, waiting] = transfers();
  if (running === undefined || waiting === undefined) throw new Error('the mock has too few');
  expect(secondsLeft(running)).toBe(5);
  expect(secondsLeft(waiting)).toBeNull();
  expect(secondsLeft({ ...running, progress: { progress: 'running', rate: 0 } })).toBeNull();
});
