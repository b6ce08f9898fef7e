import type { VolumeOptions } from '../bindings/VolumeOptions';
import type { VolumeSession } from '../bindings/VolumeSession';

const MINUTE = 60_000;
const SINCE = Date.UTC(2026, 0, 5, 9, 30);

function session(id: number, host: string, more: Partial<VolumeSession> = {}): VolumeSession {
  return {
    id,
    host,
    here: false,
    mount_point: '/mnt/photos',
    version: '1.4.0',
    process: 4_000 + id,
    since: new Date(SINCE).toISOString(),
    expires: SINCE + 90 * MINUTE,
    state: 'alive',
    staged_bytes: null,
    ...more,
  };
}

/** A session of each kind that a person has to understand. */
export function sessions(): VolumeSession[] {
  return [
    session(3, 'studio-server'),
    session(5, 'old-laptop', { state: 'expired', expires: SINCE - MINUTE }),
    session(7, 'ada-desk', {
      here: true,
      mount_point: '/home/ada/Photos',
      staged_bytes: 1_200_000_000,
    }),
    session(8, 'ada-desk', { here: true, state: 'unsupervised' }),
  ];
}

/** The options of a volume as they are in its database. */
export function options(): VolumeOptions {
  return {
    limits: {
      capacity: 1_000_000_000_000,
      inodes: 0,
      trash_days: 7,
      upload_limit: 0,
      download_limit: 200,
      dir_stats: true,
      user_group_quota: false,
    },
    name: 'photos',
    storage: 's3',
    bucket: 'https://photos.s3.eu-west-1.amazonaws.com',
    block_size: 4_194_304,
    compression: 'zstd',
    encrypted: true,
  };
}
