import type { AddVolume } from '../bindings/AddVolume';
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
  };
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
      cache_size: null,
      cache_folder: null,
      upload_limit: null,
      download_limit: null,
    },
  };
  const secrets: VolumeSecrets = {
    access_key: null,
    secret_key: null,
    session_token: null,
    metadata_password: given(filled.password) ?? password ?? null,
    key_passphrase: given(filled.passphrase),
  };
  if (way === 'join') return { add: 'join', settings, secrets };
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
