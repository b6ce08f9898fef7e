import { describe, expect, it } from 'vitest';
import { adding, blank } from '../src/forms/adding';
import { inMegabytes, limit } from '../src/forms/limit';
import { namesEngine, part } from '../src/forms/metadata';

describe('a password in a metadata address', () => {
  it.each([
    ['redis://:secret@host:6379/1', 'redis://host:6379/1', 'secret'],
    ['redis://me:se%40cret@host/1', 'redis://me@host/1', 'se@cret'],
    ['postgres://me:p@ss/word@host/db', 'postgres://me@host/db', 'p@ss/word'],
    ['mysql://me:secret@(host:3306)/db', 'mysql://me@(host:3306)/db', 'secret'],
    ['redis://:100%@host/1', 'redis://host/1', '100%'],
  ])('is taken out: %s', (pasted, url, password) => {
    expect(part(pasted)).toEqual({ url, password });
  });

  it.each([
    'redis://host:6379/1',
    'redis://me@host/1',
    'redis://me:@host/1',
    'sqlite3:///home/a:b@c/volume.db',
    'nonsense',
  ])('is not seen where there is none: %s', (url) => {
    expect(part(url)).toEqual({ url, password: undefined });
  });

  it('goes to the agent by itself', () => {
    const filled = { ...blank(), name: ' Photos ', url: ' redis://:secret@host/1 ', folder: '/p' };
    const volume = adding('join', filled);
    expect(volume).toMatchObject({
      add: 'join',
      settings: { name: 'Photos', metadata_url: 'redis://host/1', mount_point: '/p' },
      secrets: { metadata_password: 'secret' },
    });
    expect(JSON.stringify(volume).match(/secret"/g)).toHaveLength(1);
  });

  it('gives way to one that was typed', () => {
    const filled = { ...blank(), url: 'redis://:old@host/1', password: 'new' };
    expect(adding('join', filled)).toMatchObject({ secrets: { metadata_password: 'new' } });
  });
});

it('an address names its engine', () => {
  expect(namesEngine('redis://host')).toBe(true);
  expect(namesEngine('host:6379')).toBe(false);
  expect(namesEngine('redis://')).toBe(false);
});

it('a volume that is made has the kind of store that was named', () => {
  const filled = { ...blank(), storage: 'other', otherStorage: 'gs', bucket: 'gs://b' } as const;
  expect(adding('create', { ...filled, trashDays: '7' })).toMatchObject({
    format: { storage: 'gs', bucket: 'gs://b', trash_days: 7, quota: null },
  });
  expect(adding('create', filled)).toMatchObject({ format: { trash_days: null } });
});

describe('a limit', () => {
  it.each([
    ['', null],
    ['2', 2_000_000],
    ['0,5', 500_000],
    [' 1.25 ', 1_250_000],
  ])('of "%s" MB/s is %s bytes', (text, bytes) => {
    expect(limit(text)).toBe(bytes);
  });

  it.each(['0', '-1', 'fast', '1e9', '99999999999999'])('is not taken: %s', (text) => {
    expect(limit(text)).toBeUndefined();
  });

  it('reads as it was typed', () => {
    expect(inMegabytes(limit('0.5') ?? null)).toBe('0.5');
    expect(inMegabytes(null)).toBe('');
  });
});
