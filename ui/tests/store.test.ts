import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { AgentStore, DEADLINE, HEARTBEAT } from '../src/agent/store.svelte';
import { unreachable, type Transport } from '../src/agent/transport';
import { MockAgent } from '../src/mock/agent';
import { stopped } from '../src/mock/stopped';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

/** An agent that can fall silent without hanging up. */
class Mutable implements Transport {
  silent = false;
  constructor(readonly agent: MockAgent) {}
  ask: Transport['ask'] = (request) =>
    this.silent ? new Promise(() => undefined) : this.agent.ask(request);
  listen: Transport['listen'] = (heard) => this.agent.listen(heard);
  open: Transport['open'] = (id) => this.agent.open(id);
  home: Transport['home'] = () => this.agent.home();
  exportVolume: Transport['exportVolume'] = (id) => this.agent.exportVolume(id);
  saveReport: Transport['saveReport'] = () => this.agent.saveReport();
  start: Transport['start'] = () => this.agent.start();
}

test('nothing is claimed before the agent was heard', () => {
  const store = new AgentStore(new MockAgent());
  expect(store.truth).toBeUndefined();
  expect(store.volumes).toBeUndefined();
});

test('what was heard is dropped when the agent falls silent, and comes back with it', async () => {
  const transport = new Mutable(new MockAgent());
  const store = new AgentStore(transport);
  const stop = store.start();
  await vi.advanceTimersByTimeAsync(0);
  expect(store.truth?.truth).toBe('only_here');

  transport.silent = true;
  await vi.advanceTimersByTimeAsync(HEARTBEAT + DEADLINE);
  expect(store.truth).toBeUndefined();
  expect(store.volumes).toBeUndefined();

  transport.silent = false;
  await vi.advanceTimersByTimeAsync(HEARTBEAT + DEADLINE);
  expect(store.truth?.truth).toBe('only_here');
  stop();
});

test('a change is seen without waiting for the next heartbeat', async () => {
  const agent = new MockAgent();
  const store = new AgentStore(agent);
  const stop = store.start();
  await vi.advanceTimersByTimeAsync(0);
  const before = store.volumes?.[0]?.figures?.operations ?? 0;

  agent.tick();
  await vi.advanceTimersByTimeAsync(0);
  expect(store.volumes?.[0]?.figures?.operations).toBeGreaterThan(before);
  stop();
});

test('a volume that is unmounted is shown as stopped', async () => {
  const store = new AgentStore(new MockAgent());
  await store.refresh();
  await store.unmount('photos');
  await vi.advanceTimersByTimeAsync(0);
  expect(store.volumes?.[0]?.state).toEqual({ state: 'stopped' });
});

test('a refusal reaches the one who asked, with what the agent said', async () => {
  const store = new AgentStore(new MockAgent());
  await expect(store.mount('nowhere')).rejects.toThrow('There is no volume “nowhere”.');
});

test('an agent that knows no single transfers is heard all the same', async () => {
  const agent = new MockAgent();
  agent.modest = true;
  const store = new AgentStore(agent);
  await store.refresh();
  expect(store.transfers).toBe('not_offered');
  expect(store.connected).toBe(true);
});

test('the demo volume is mounted without another press', async () => {
  const store = new AgentStore(new MockAgent([]));
  await store.addDemo();
  await vi.advanceTimersByTimeAsync(0);
  expect(store.volumes?.map(({ state }) => state.state)).toEqual(['mounted']);
});

test('a setting is changed without touching the others', async () => {
  const store = new AgentStore(new MockAgent());
  await store.changeSettings({ theme: 'dark' });
  await store.changeSettings({ language: 'de' });
  await vi.advanceTimersByTimeAsync(0);
  expect(store.settings).toMatchObject({ theme: 'dark', language: 'de' });
});

test('an agent that a person ended is told from one that is not heard, and is started', async () => {
  const store = new AgentStore(stopped(new MockAgent()));
  await store.refresh();
  expect([store.connected, store.stopped]).toEqual([false, true]);
  await store.startAgent();
  await vi.advanceTimersByTimeAsync(0);
  expect([store.connected, store.stopped]).toEqual([true, false]);
  const lost = new AgentStore(unreachable);
  await lost.refresh();
  expect([lost.connected, lost.stopped]).toEqual([false, false]);
});
