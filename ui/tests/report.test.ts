import { expect, test } from 'vitest';
import type { Settings } from '../src/bindings/Settings';
import { volumes } from '../src/mock/volumes';
import { report } from '../src/pages/report';

const status = {
  product: '1.0',
  pid: 1,
  revision: 1,
  truth: { truth: 'unknown', message: '/home/ada/journal: damaged' },
  pause: { pause: 'running' },
  held: null,
  surroundings: { metered: null, on_battery: null },
  notices: [],
} as const;
const settings: Settings = {
  start_at_login: false,
  language: null,
  theme: 'system',
  upload_limit: null,
  download_limit: null,
  secret_store: 'keyring',
  hold_on_metered: false,
  hold_on_battery: false,
  notifications: true,
};

test('a report holds no name, path or address', () => {
  const text = report({ ...status, notices: [] }, volumes(), settings);
  for (const told of [
    'ada',
    'Photos',
    'example',
    'Clients',
    'photos-index',
    'InvalidAccessKeyId',
  ]) {
    expect(text).not.toContain(told);
  }
});

test('a report says how every volume is', () => {
  const content = JSON.parse(report({ ...status, notices: [] }, volumes(), settings));
  expect(content.volumes).toHaveLength(4);
  expect(content.volumes[3]).toMatchObject({ state: 'error', codes: ['authentication'] });
  expect(content.volumes[1]).toMatchObject({ engine: 'redis', state: 'degraded' });
});
