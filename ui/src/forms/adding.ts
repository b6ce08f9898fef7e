import type { AddVolume } from '../bindings/AddVolume';
import type { VolumeFile } from '../bindings/VolumeFile';
import type { VolumeSecrets } from '../bindings/VolumeSecrets';
import { part } from './metadata';

/** What a person filled in. */
export interface Filled {
  name: string;
  url: string;
  folder: string;
  password: string;
  passphrase: string;
  atStart: boolean;
  readOnly: boolean;
  writeBack: boolean;
  storage: 'file' | 's3' | 'other';
  otherStorage: string;
  bucket: string;
  accessKey: string;
  secretKey: string;
  token: string;
  compression: 'none' | 'lz4' | 'zstd';
  trashDays: string;
  /** The volume file that the form was filled from. */
  file: VolumeFile | undefined;
}

/** A form that nobody filled in yet. */
export function blank(): Filled {
  return {
    name: '',
    url: '',
    folder: '',
    password: '',
    passphrase: '',
    atStart: true,
    readOnly: false,
    writeBack: true,
    storage: 'file',
    otherStorage: '',
    bucket: '',
    accessKey: '',
    secretKey: '',
    token: '',
    compression: 'none',
    trashDays: '',
    file: undefined,
  };
}

/** The form as a volume file fills it; what is a secret stays to be given. */
export function filledFrom(file: VolumeFile, before: Filled): Filled {
  return {
    ...before,
    name: file.name,
    url: file.metadata_url,
    atStart: file.options.mount_at_start,
    readOnly: file.options.read_only,
    writeBack: file.options.write_back,
    file,
  };
}

/** The folder below `home` in which a volume of this name appears, unless the person says another. */
export function folderFor(home: string, name: string): string {
  const folder = name
    .trim()
    .replaceAll(/[/\\\p{Cc}]/gu, '-')
    .replace(/^\.+/, '');
  return home === '' || folder === '' ? '' : `${home}/${folder}`;
}

/** What the agent is asked to add. */
export function adding(way: 'join' | 'create', filled: Filled): AddVolume {
  const { url, password } = part(filled.url);
  const settings = {
    name: filled.name.trim(),
    metadata_url: url,
    mount_point: filled.folder.trim(),
    options: {
      mount_at_start: filled.atStart,
      read_only: filled.readOnly,
      write_back: filled.writeBack,
      cache_size: filled.file?.options.cache_size ?? null,
      cache_folder: null,
      upload_limit: filled.file?.options.upload_limit ?? null,
      download_limit: filled.file?.options.download_limit ?? null,
    },
  };
  const secrets: VolumeSecrets = {
    access_key: null,
    secret_key: null,
    session_token: null,
    metadata_password: given(filled.password) ?? password ?? null,
    key_passphrase: given(filled.passphrase),
  };
  if (way === 'join') {
    // At another address than the file's, another volume is meant.
    const isOfFile = filled.file?.metadata_url === url;
    const uuid = isOfFile ? (filled.file?.uuid ?? null) : null;
    return { add: 'join', settings, secrets, uuid };
  }
  const days = given(filled.trashDays.trim());
  return {
    add: 'create',
    settings,
    format: {
      storage: filled.storage === 'other' ? filled.otherStorage.trim() : filled.storage,
      bucket: filled.bucket.trim(),
      block_size: null,
      compression: filled.compression,
      trash_days: days === null ? null : Number(days),
      quota: null,
    },
    secrets: {
      ...secrets,
      access_key: given(filled.accessKey),
      secret_key: given(filled.secretKey),
      session_token: given(filled.token),
    },
  };
}

function given(text: string): string | null {
  return text === '' ? null : text;
}
