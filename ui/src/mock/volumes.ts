import type { Figures } from '../bindings/Figures';
import type { Volume } from '../bindings/Volume';
import type { VolumeSettings } from '../bindings/VolumeSettings';
import type { VolumeState } from '../bindings/VolumeState';

const GB = 1_000_000_000;
const SINCE = Date.UTC(2026, 0, 5, 9, 30);

function figures(used: number, quota: number | null, waiting: number): Figures {
  return {
    operations: 18_204,
    bytes_uploaded: used,
    bytes_downloaded: 4 * GB,
    upload_queue: waiting * 4,
    oldest_staged: waiting > 0 ? SINCE : null,
    staged_files: waiting,
    staged_bytes: waiting * 400_000_000,
    cache: { used: 12 * GB, limit: 100 * GB, pinned: 0 },
    space: { used, quota, inodes: 48_112 },
    errors: waiting > 3 ? [{ kind: 'unreachable', count: 14 }] : [],
    top_readers: [{ pid: 4711, name: 'photos-index', bytes: 3 * GB }],
  };
}

function volume(name: string, metadata: string, state: VolumeState, seen?: Figures): Volume {
  const waiting = seen?.staged_files ?? 0;
  return {
    id: name.toLowerCase(),
    settings: {
      name,
      metadata_url: metadata,
      mount_point: `/home/ada/${name}`,
      options: {
        mount_at_start: true,
        read_only: false,
        write_back: true,
        cache_size: null,
        cache_folder: null,
        upload_limit: null,
        download_limit: null,
      },
    },
    state,
    truth:
      waiting > 0
        ? { truth: 'only_here', files: waiting, bytes: seen?.staged_bytes ?? 0, oldest: SINCE }
        : { truth: 'stored' },
    figures: seen ?? null,
  };
}

/** One volume in each state that a person meets. */
export function volumes(): Volume[] {
  return [
    volume(
      'Photos',
      'sqlite3:///home/ada/.local/share/photos.db',
      { state: 'mounted' },
      figures(412 * GB, 1000 * GB, 3),
    ),
    volume(
      'Studio',
      'redis://studio.example:6379/1',
      {
        state: 'degraded',
        reasons: [
          {
            code: 'store_unavailable',
            message: 'The object store does not answer.',
            advice: 'Check the network; uploads go on by themselves when it is back.',
            since: SINCE,
          },
        ],
      },
      figures(1840 * GB, 2000 * GB, 12),
    ),
    volume('Archive', 'postgres://archive.example/moorage', { state: 'stopped' }),
    volume('Clients', 'redis://clients.example:6379/2', {
      state: 'error',
      problem: {
        code: 'authentication',
        message: 'The object store refused the key of “Clients”.',
        cause: 'HTTP 403: InvalidAccessKeyId',
        advice: 'Give the volume a key that is valid.',
        retryable: true,
      },
    }),
  ];
}

/** A volume that was made just now, with nothing to fill in. */
export function demo(): Volume {
  return volume('Moorage Demo', 'sqlite3:///home/ada/.local/share/moorage/demo/volume.db', {
    state: 'stopped',
  });
}

/** A volume that was added with these settings. */
export function joined(settings: VolumeSettings): Volume {
  return { ...volume(settings.name, settings.metadata_url, { state: 'stopped' }), settings };
}
