import type { VolumeLimits } from '../bindings/VolumeLimits';

/** Bytes of the unit that a capacity is typed in. */
const GIGABYTE = 1_000_000_000;
/** Digits behind the point that tell single bytes of it. */
const DIGITS = 9;
/** Most days and megabits that the setting holds: 32 bits. */
const MOST = 0xffff_ffff;

/** The limits of a volume as a person types them; an empty text is no limit. */
export interface TypedLimits {
  capacity: string;
  inodes: string;
  trashDays: string;
  upload: string;
  download: string;
  dirStats: boolean;
  userGroupQuota: boolean;
}

/** What the limits read in their fields. */
export function typed(limits: VolumeLimits): TypedLimits {
  const text = (value: number) => (value === 0 ? '' : String(value));
  return {
    capacity: limits.capacity === 0 ? '' : inGigabytes(limits.capacity),
    inodes: text(limits.inodes),
    trashDays: String(limits.trash_days),
    upload: text(limits.upload_limit),
    download: text(limits.download_limit),
    dirStats: limits.dir_stats,
    userGroupQuota: limits.user_group_quota,
  };
}

/** A size as a person types it, to the byte. */
function inGigabytes(bytes: number): string {
  return (bytes / GIGABYTE).toFixed(DIGITS).replace(/\.?0+$/, '');
}

/** A size in gigabytes as bytes, 0 for none; absent when it is no size. */
export function capacity(text: string): number | undefined {
  const plain = text.trim().replace(',', '.');
  if (plain === '') return 0;
  if (!/^\d+(\.\d+)?$/.test(plain)) return undefined;
  const bytes = Math.round(Number(plain) * GIGABYTE);
  return bytes > 0 && Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** A whole number, 0 for none; absent when it is another text. */
export function whole(text: string, most: number = Number.MAX_SAFE_INTEGER): number | undefined {
  const plain = text.trim();
  if (plain === '') return 0;
  const value = /^\d+$/.test(plain) ? Number(plain) : NaN;
  return value <= most ? value : undefined;
}

/** What was typed, field by field; a field that does not do is absent. */
export function parsed(fields: TypedLimits): {
  [Field in keyof VolumeLimits]: VolumeLimits[Field] | undefined;
} {
  return {
    capacity: capacity(fields.capacity),
    inodes: whole(fields.inodes),
    trash_days: whole(fields.trashDays, MOST),
    upload_limit: whole(fields.upload, MOST),
    download_limit: whole(fields.download, MOST),
    dir_stats: fields.dirStats,
    user_group_quota: fields.userGroupQuota,
  };
}

/** The limits, when every field does. */
export function limitsOf(fields: TypedLimits): VolumeLimits | undefined {
  const {
    capacity,
    inodes,
    trash_days,
    upload_limit,
    download_limit,
    dir_stats,
    user_group_quota,
  } = parsed(fields);
  if (
    capacity === undefined ||
    inodes === undefined ||
    trash_days === undefined ||
    upload_limit === undefined ||
    download_limit === undefined ||
    dir_stats === undefined ||
    user_group_quota === undefined
  ) {
    return undefined;
  }
  return {
    capacity,
    inodes,
    trash_days,
    upload_limit,
    download_limit,
    dir_stats,
    user_group_quota,
  };
}
