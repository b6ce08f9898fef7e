import { describe, expect, it } from 'vitest';
import { format, isSamePage, parse, type Route } from '../src/router/route';

describe('the address of a page', () => {
  const routes: Route[] = [
    { page: 'volumes' },
    { page: 'add', way: 'join' },
    { page: 'add', way: 'create' },
    { page: 'activity' },
    { page: 'sync' },
    { page: 'sync_add' },
    { page: 'sync_pair', name: '0b7c/ü' },
    { page: 'settings' },
    { page: 'diagnostics' },
    { page: 'volume', name: 'photos', tab: 'overview' },
    { page: 'volume', name: 'a/b #ü%', tab: 'options' },
  ];
  it.each(routes)('leads back to the page: %o', (route) => {
    expect(parse(format(route))).toEqual(route);
  });

  it.each([
    '',
    '#',
    '#/',
    '#/nowhere',
    '#/volume',
    '#/volume/',
    '#/volume/%E0',
    '#/add/more',
    '#/add/join/x',
  ])('that names no page leads to the volumes: %s', (hash) => {
    expect(parse(hash)).toEqual({ page: 'volumes' });
  });

  it.each(['#/volume/photos', '#/volume/photos/nothing'])(
    'of a volume without a tab is its overview: %s',
    (hash) => {
      expect(parse(hash)).toEqual({ page: 'volume', name: 'photos', tab: 'overview' });
    },
  );

  it('to add a volume begins with joining one', () => {
    expect(parse('#/add')).toEqual({ page: 'add', way: 'join' });
  });
});

it('is one page with all tabs of a volume, and another one for each volume', () => {
  const overview = parse('#/volume/photos');
  expect(isSamePage(overview, parse('#/volume/photos/options'))).toBe(true);
  expect(isSamePage(overview, parse('#/volume/studio'))).toBe(false);
  expect(isSamePage(overview, parse('#/volumes'))).toBe(false);
});
