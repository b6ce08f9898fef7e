import { expect, test } from 'vitest';
import type { Volume } from '../src/bindings/Volume';
import type { VolumeState } from '../src/bindings/VolumeState';
import { en } from '../src/locales/en';
import { volumes } from '../src/mock/volumes';
import { action, isHeld, reasons } from '../src/pages/volume';

const reason = {
  code: 'incomplete',
  message: 'The bucket is missing.',
  advice: 'Name one.',
  since: 0,
} as const;

function volume(state: VolumeState): Volume {
  const [example] = volumes();
  if (example === undefined) throw new Error('the mock has no volume');
  return { ...example, state };
}

test('what is not running may be mounted, and what runs may be unmounted', () => {
  expect(action(volume({ state: 'stopped' }))).toBe('mount');
  expect(action(volume({ state: 'mounted' }))).toBe('unmount');
  expect(action(volume({ state: 'degraded', reasons: [reason] }))).toBe('unmount');
});

test('a volume that lacks something, or is on its way out, offers neither', () => {
  expect(action(volume({ state: 'unconfigured', reason }))).toBeUndefined();
  expect(action(volume({ state: 'unmounting', waiting_for: null }))).toBeUndefined();
});

test('every reason of a degraded volume is said, the gravest first', () => {
  const second = { ...reason, message: 'The quota is nearly used up.' };
  const said = reasons({ state: 'degraded', reasons: [reason, second] }, en);
  expect(said.map(({ message }) => message)).toEqual([reason.message, second.message]);
});

test('a volume that is well gives no reason', () => {
  expect(reasons({ state: 'mounted' }, en)).toEqual([]);
  expect(reasons({ state: 'connecting', attempt: 1, reason: null }, en)).toEqual([]);
});

test('an unmount that waits names who holds the volume', () => {
  const holders = [{ pid: 7, name: 'gedit' }];
  const state = { state: 'unmounting', waiting_for: { wait: 'processes', holders } } as const;
  expect(isHeld({ ...state, waiting_for: { wait: 'processes', holders } })).toBe(true);
  const said = reasons({ ...state, waiting_for: { wait: 'processes', holders } }, en);
  expect(said[0]?.message).toBe('In use by gedit (7).');
});
