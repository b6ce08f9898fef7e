import { render, screen, waitFor, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { describe, expect, it, test } from 'vitest';
import { startHealth } from '../src/agent/health';
import { AgentStore } from '../src/agent/store.svelte';
import type { HealthFinding } from '../src/bindings/HealthFinding';
import { en } from '../src/locales/en';
import { MockAgent } from '../src/mock/agent';
import { findings, garbage, report } from '../src/mock/health';
import {
  done,
  extent,
  freed,
  isWorthFreeing,
  parts,
  remedy,
  sum,
  title,
  untold,
  verdict,
} from '../src/pages/health/health';
import VolumeHealth from '../src/pages/health/VolumeHealth.svelte';

const words = en.health;
const TIME = Date.UTC(2026, 0, 5, 9, 30);

function one(severity: HealthFinding['severity'], more: Partial<HealthFinding> = {}) {
  const [found] = findings();
  return { ...(found as HealthFinding), severity, ...more };
}

function ended(found: HealthFinding[], repair = false) {
  return { begun: TIME, ended: TIME, repair, report: report(found, false) };
}

describe('a check', () => {
  it('that found nothing says so', () => {
    expect(verdict(ended([]), words.check)).toBe(words.check.sound(TIME));
  });

  it('that found drifted numbers alone speaks of no problem', () => {
    const said = verdict(ended([one('note'), one('note')]), words.check);
    expect(said).toContain('nothing is lost');
    expect(said).not.toContain('problem');
  });

  it('counts the notes among the problems when there is worse', () => {
    expect(verdict(ended([one('error'), one('note')]), words.check)).toContain('2 problems');
  });

  it('that repaired tells what is left', () => {
    const mended = one('warning', { repair: 'done' });
    expect(verdict(ended([mended], true), words.check)).toBe(words.check.mended(TIME, 1));
    const left = verdict(ended([mended, one('error')], true), words.check);
    expect(left).toBe(words.check.left(TIME, 1, 1));
  });

  it('says how far contents were looked at, and what could not be read', () => {
    const said = extent({ ...report([], true), damaged_records: 2 }, words.check);
    expect(said).toContain(words.check.contents.authenticated);
    expect(said.join(' ')).toContain('2 records can not be read');
  });

  it('tells how many findings are not listed', () => {
    const open = { error: 140, warning: 0, note: 0 };
    expect(untold({ ...report(findings(), false), open })).toBe(136);
  });
});

describe('a finding', () => {
  it('of a kind that this window does not know has a name all the same', () => {
    const unknown = one('error', { defect: 'toString' });
    expect(title(unknown, words.finding)).toBe(words.finding.unknown);
  });

  it('without a safe repair leaves the advice to the check', () => {
    expect(remedy(one('error', { repair: 'impossible' }), words.finding)).toBeUndefined();
    expect(remedy(one('error', { repair: 'failed' }), words.finding)).toBe(words.finding.failed);
  });
});

describe('what can be freed', () => {
  it('leaves out what damaged records may name', () => {
    const whole = garbage(false);
    const damaged = { ...whole, damaged_slice_records: 1 };
    expect(freed(whole).objects).toBe(314);
    expect(freed(damaged).objects).toBe(300);
    const leaked = parts(damaged, words.space).kept.map(({ name }) => name);
    expect(leaked).toContain(words.space.leaked);
  });

  it('is nothing, records alone, or objects', () => {
    const none = { objects: 0, bytes: 0 };
    const records = { count: 0, bytes: 0 };
    const clean = {
      ...garbage(false),
      pending: none,
      leaked: none,
      expired_trash: { hours: 0, entries: 0 },
      deleted_files: records,
      expired_slices: records,
    };
    const of = (report: typeof clean) => sum({ begun: TIME, ended: TIME, report }, words.space);
    expect(isWorthFreeing(clean)).toBe(false);
    expect(of(clean)).toBe(words.space.nothing(TIME));
    expect(of({ ...clean, dead_slices: { count: 1, bytes: 0 } })).toBe(words.space.records(TIME));
    expect(of(garbage(false))).toContain('314 objects');
  });
});

test('progress has a total only where it is known', () => {
  const progress = { phase: 'objects', done: 2, total: null, bytes: 0 } as const;
  expect(done(progress, words.done)).toBe('2 objects found');
  expect(done({ ...progress, total: 9 }, words.done)).toBe('2 of 9 objects found');
});

function shown(id: string) {
  const agent = new MockAgent();
  const store = new AgentStore(agent);
  render(VolumeHealth, { words: en, store, id });
  return { agent, store, user: userEvent.setup() };
}

/** A part of the page, once the agent has answered. */
async function part(name: string) {
  await screen.findByRole('region', { name: words.space.title });
  return within(screen.getByRole('region', { name }));
}

/** Steps of time until something is to be seen; the page looks once a second. */
async function until(agent: MockAgent, seen: () => void) {
  await waitFor(
    () => {
      agent.tick();
      seen();
    },
    { timeout: 8_000, interval: 500 },
  );
}

test('a volume is checked, shows how far it is, and then what was found', async () => {
  const { agent, user } = shown('photos');
  const check = await part(words.check.title);
  expect(check.getByText(words.check.never)).toBeInTheDocument();
  await user.click(check.getByRole('button', { name: words.check.start }));
  expect(await check.findByText(words.running.check)).toBeInTheDocument();
  expect(check.queryByRole('progressbar')).not.toBeInTheDocument();
  const space = await part(words.space.title);
  expect(space.getByText(words.busy)).toBeInTheDocument();
  expect(space.getByRole('button', { name: words.space.find })).toBeDisabled();
  agent.tick();
  agent.tick();
  expect(
    await check.findByRole('progressbar', { name: en.job.progress }, { timeout: 3_000 }),
  ).toHaveAttribute('aria-valuetext', '64,000 of 96,000 objects found');
  await until(agent, () => check.getByText('An object is missing in the store'));
  expect(check.getByText(words.finding.unknown)).toBeInTheDocument();
  expect(check.getByText(words.check.contents['not-read'])).toBeInTheDocument();
}, 15_000);

test('every object is read only when that was chosen', async () => {
  const { agent, user } = shown('photos');
  const check = await part(words.check.title);
  await user.click(check.getByLabelText(words.check.everything));
  await user.click(check.getByRole('button', { name: words.check.start }));
  await until(agent, () => check.getByText(words.check.contents.authenticated));
}, 15_000);

test('a check is cancelled, and what was found before stays', async () => {
  const { agent, user } = shown('studio');
  const check = await part(words.check.title);
  const before = check.getByText(/4 problems were found/);
  await user.click(check.getByRole('button', { name: words.check.start }));
  const cancel = await check.findByRole('button', { name: en.job.cancel });
  await user.click(cancel);
  expect(await check.findByText(en.job.ending)).toBeInTheDocument();
  expect(check.getByRole('group', { name: words.check.title })).toHaveFocus();
  await until(agent, () => check.getByText(/^Cancelled/));
  expect(before).toBeInTheDocument();
}, 15_000);

test('nothing is repaired before that was confirmed', async () => {
  const { agent, user } = shown('studio');
  const check = await part(words.check.title);
  await user.click(check.getByRole('button', { name: words.repair.start }));
  expect(check.getByText(/3 problems are repaired/)).toBeInTheDocument();
  expect(check.getByRole('button', { name: words.repair.keep })).toHaveFocus();
  await user.click(check.getByRole('button', { name: words.repair.keep }));
  expect(check.getByRole('button', { name: words.repair.start })).toHaveFocus();
  await user.click(check.getByRole('button', { name: words.repair.start }));
  await user.click(check.getByRole('button', { name: words.repair.confirm }));
  expect(await check.findByText(words.running.repair)).toBeInTheDocument();
  await until(agent, () => check.getByText(/3 problems repaired, 1 left/));
  expect(check.queryByRole('button', { name: words.repair.start })).not.toBeInTheDocument();
}, 15_000);

test('space is freed after it was seen and confirmed, and the focus stays in the part', async () => {
  const { agent, user } = shown('photos');
  const space = await part(words.space.title);
  expect(space.queryByRole('button', { name: words.space.free })).not.toBeInTheDocument();
  await user.click(space.getByRole('button', { name: words.space.find }));
  const group = space.getByRole('group', { name: words.space.title });
  await waitFor(() => expect(group).toHaveFocus());
  await until(agent, () => space.getByRole('button', { name: words.space.free }));
  await user.click(space.getByRole('button', { name: words.space.free }));
  await user.click(space.getByRole('button', { name: /^Yes, delete 1\.3/ }));
  await until(agent, () => space.getByText(/^Freed/));
  expect(space.queryByRole('button', { name: words.space.free })).not.toBeInTheDocument();
}, 15_000);

test('an agent that does not know it says so, and it can be tried again', async () => {
  const agent = new MockAgent();
  agent.modest = true;
  render(VolumeHealth, { words: en, store: new AgentStore(agent), id: 'photos' });
  expect(await screen.findByText(en.failure.notOffered)).toBeInTheDocument();
  agent.modest = false;
  await userEvent.click(screen.getByRole('button', { name: en.button.retry }));
  expect(await screen.findByText(words.check.never)).toBeInTheDocument();
});

test('work that somebody else began is seen', async () => {
  const { store } = shown('photos');
  await part(words.check.title);
  await startHealth(store, 'photos', { work: 'find_garbage' });
  const space = await part(words.space.title);
  await space.findByText(words.running.find_garbage, {}, { timeout: 7_000 });
}, 10_000);
