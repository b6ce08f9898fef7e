import { describe, expect, it } from 'vitest';
import { format, parse, type Route } from '../src/router/route';

describe('the address of a page', () => {
  const routes: Route[] = [
    { page: 'volumes' },
    { page: 'add', way: 'join' },
    { page: 'add', way: 'create' },
    { page: 'activity' },
    { page: 'settings' },
    { page: 'diagnostics' },
    { page: 'volume', name: 'photos' },
    { page: 'volume', name: 'a/b #ü%' },
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

  it('to add a volume begins with joining one', () => {
    expect(parse('#/add')).toEqual({ page: 'add', way: 'join' });
  });
});
