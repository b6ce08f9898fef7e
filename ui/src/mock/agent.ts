import { Refused, type Transport } from '../agent/transport';
import type { AddVolume } from '../bindings/AddVolume';
import type { HoldRule } from '../bindings/HoldRule';
import type { Pause } from '../bindings/Pause';
import type { Request } from '../bindings/Request';
import type { Response } from '../bindings/Response';
import type { SecretAccess } from '../bindings/SecretAccess';
import type { Settings } from '../bindings/Settings';
import type { Surroundings } from '../bindings/Surroundings';
import type { Transfer } from '../bindings/Transfer';
import type { Truth } from '../bindings/Truth';
import type { Volume } from '../bindings/Volume';
import { checklist, selfTest } from './checklist';
import { isAboutHealth, MockHealth } from './health';
import { logEnd } from './log';
import { options, sessions } from './parts';
import { MockFiles } from './files';
import { isAboutPairs, MockPairs, pairs } from './pairs';
import { volumeFile } from './sharing';
import { transfers } from './transfers';
import { isAboutTrash, MockTrash, trash } from './trash';
import { demo, joined, volumes as examples } from './volumes';

/** Milliseconds between two changes of the figures. */
const TICK = 1_000;
/** What an agent that offers less says no to. */
const NOT_OFFERED: ReadonlySet<Request['request']> = new Set([
  'connection_test',
  'files',
  'file_pin',
  'transfers',
  'transfer_retry',
  'transfer_cancel',
  'pause',
  'resume',
  'sync_pairs',
  'trash_hours',
  'trash_job',
  'volume_sessions',
  'volume_options',
  'volume_health',
]);

/** An agent within the page, for work on the window without a mount. */
export class MockAgent implements Transport {
  /** Offers no transfers, no pause, no sync pairs, no trash, no sessions, no options and no health of volumes and no test of connections. */
  modest = false;
  /** How the place is where secrets are kept. */
  secretAccess: SecretAccess = 'open';
  /** What the computer says of its network and its power. */
  surroundings: Surroundings = { metered: false, on_battery: null };
  #volumes: Volume[];
  #transfers: Transfer[];
  #pairs: MockPairs;
  #options = options();
  #trash = new MockTrash(trash());
  #files = new MockFiles();
  #health = new MockHealth();
  #pause: Pause = { pause: 'running' };
  #settings: Settings = {
    start_at_login: false,
    language: null,
    theme: 'system',
    upload_limit: null,
    download_limit: null,
    secret_store: 'keyring',
    hold_on_metered: false,
    hold_on_battery: false,
    notifications: true,
  };
  #revision = 1;
  #listeners = new Set<() => void>();

  constructor(volumes: Volume[] = examples()) {
    this.#volumes = volumes;
    this.#transfers = volumes.length === 0 ? [] : transfers();
    this.#pairs = new MockPairs(volumes.length === 0 ? [] : pairs());
  }

  /** The rule that holds transfers. */
  get held(): HoldRule | null {
    return this.#settings.hold_on_metered && this.surroundings.metered === true ? 'metered' : null;
  }

  /** Holds transfers, on a metered connection. */
  hold(): void {
    this.surroundings = { metered: true, on_battery: false };
    this.#settings = { ...this.#settings, hold_on_metered: true };
  }

  /** Lets the figures move until the returned function is called. */
  run(): () => void {
    const timer = setInterval(() => this.tick(), TICK);
    return () => clearInterval(timer);
  }

  /** One step of time: what is mounted answers some more requests. */
  tick(): void {
    for (const { state, figures } of this.#volumes) {
      if (figures === null) continue;
      figures.operations += 37;
      if (state.state === 'mounted' && figures.space !== null) figures.space.used += 60_000_000;
    }
    this.#health.tick();
    this.#trash.tick();
    this.#changed();
  }

  listen(heard: () => void): () => void {
    this.#listeners.add(heard);
    return () => this.#listeners.delete(heard);
  }

  open(id: string): Promise<void> {
    this.#find(id);
    return Promise.resolve();
  }

  home(): Promise<string> {
    return Promise.resolve('/home/ada');
  }

  exportVolume(id: string): Promise<boolean> {
    this.#find(id);
    return Promise.resolve(true);
  }

  saveReport(): Promise<boolean> {
    return Promise.resolve(true);
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  async ask(request: Request): Promise<Response> {
    if (this.modest && NOT_OFFERED.has(request.request)) return this.#refuse(request);
    if (isAboutPairs(request)) {
      const response = this.#pairs.answer(request);
      if (request.request !== 'sync_pairs') this.#changed();
      return response;
    }
    if (isAboutTrash(request)) {
      this.#find(request.id);
      return this.#trash.answer(request);
    }
    if (isAboutHealth(request)) {
      this.#find(request.id);
      return this.#health.answer(request);
    }
    switch (request.request) {
      case 'agent_status':
        return {
          response: 'agent',
          status: {
            product: 'mock',
            pid: 1,
            revision: this.#revision,
            truth: this.#truth(),
            pause: this.#pause,
            held: this.held,
            surroundings: this.surroundings,
            notices: [],
          },
        };
      case 'volumes':
        return { response: 'volumes', volumes: structuredClone(this.#volumes) };
      case 'volume':
        return this.#answer(this.#find(request.id));
      case 'volume_mount': {
        const volume = this.#find(request.id);
        volume.state = { state: 'mounted' };
        return this.#answer(volume);
      }
      case 'volume_unmount': {
        const volume = this.#find(request.id);
        volume.state = { state: 'stopped' };
        volume.figures = null;
        return this.#answer(volume);
      }
      case 'volume_add': {
        const volume = made(request.volume);
        this.#volumes.push(volume);
        return this.#answer(volume);
      }
      case 'volume_file_read':
        return { response: 'volume_file', file: volumeFile(request.text), text: request.text };
      case 'volume_change': {
        const volume = this.#find(request.id);
        volume.settings = request.settings;
        return this.#answer(volume);
      }
      case 'volume_secrets':
        this.#find(request.id);
        return this.#done();
      case 'volume_sessions':
        this.#find(request.id);
        return { response: 'volume_sessions', sessions: sessions() };
      case 'volume_options':
        this.#find(request.id);
        return { response: 'volume_options', options: structuredClone(this.#options) };
      case 'volume_options_change':
        this.#options.limits = request.limits;
        this.#changed();
        return { response: 'volume_options', options: structuredClone(this.#options) };
      case 'volume_remove': {
        const volume = this.#find(request.id);
        if (volume.state.state !== 'stopped') return this.#refuseRemoval(volume);
        this.#volumes = this.#volumes.filter((other) => other !== volume);
        return this.#done();
      }
      case 'files':
        this.#find(request.id);
        return { response: 'files', page: this.#files.page(request.folder, request.after) };
      case 'file_pin':
        this.#find(request.id);
        this.#files.pin(request.path, request.pinned);
        return this.#done();
      case 'connection_test':
        return { response: 'checklist', checklist: checklist() };
      case 'self_test':
        return { response: 'checklist', checklist: selfTest() };
      case 'log':
        return { response: 'log', log: logEnd(request.volume) };
      case 'transfers':
        return { response: 'transfers', transfers: structuredClone(this.#transfers) };
      case 'transfer_retry': {
        const transfer = this.#transfers.find(({ id }) => id === request.id);
        if (transfer !== undefined) transfer.progress = { progress: 'waiting' };
        return this.#done();
      }
      case 'transfer_cancel':
        this.#transfers = this.#transfers.filter(({ id }) => id !== request.id);
        return this.#done();
      case 'settings':
        return this.#answerSettings();
      case 'secret_store_unlock':
        this.secretAccess = 'open';
        this.#changed();
        return this.#answerSettings();
      case 'settings_change':
        this.#settings = request.settings;
        this.#changed();
        return this.#answerSettings();
      case 'pause':
        return this.#answerPause({ pause: 'paused', until: null });
      case 'resume':
        return this.#answerPause({ pause: 'running' });
      default:
        return this.#refuse(request);
    }
  }

  #truth(): Truth {
    let files = 0;
    let bytes = 0;
    for (const { truth } of this.#volumes) {
      if (truth.truth !== 'only_here') continue;
      files += truth.files;
      bytes += truth.bytes;
    }
    return files > 0 ? { truth: 'only_here', files, bytes, oldest: null } : { truth: 'stored' };
  }

  #find(id: string): Volume {
    const found = this.#volumes.find((volume) => volume.id === id);
    if (found !== undefined) return found;
    throw new Refused({
      code: 'not_found',
      message: `There is no volume “${id}”.`,
      cause: null,
      advice: '',
      retryable: false,
    });
  }

  #answer(volume: Volume): Response {
    this.#changed();
    return { response: 'volume', volume: structuredClone(volume) };
  }

  #answerSettings(): Response {
    return {
      response: 'settings',
      settings: { ...this.#settings },
      secret_store: {
        store: this.#settings.secret_store,
        access: this.secretAccess,
        problem: null,
      },
    };
  }

  #answerPause(pause: Pause): Response {
    this.#pause = pause;
    this.#changed();
    return { response: 'pause', pause };
  }

  #done(): Response {
    this.#changed();
    return { response: 'done' };
  }

  #refuse(request: Request): never {
    throw new Refused({
      code: 'not_supported',
      message: `The mock agent does not answer ${request.request}.`,
      cause: null,
      advice: 'Nothing was changed; a later version may offer it.',
      retryable: false,
    });
  }

  #refuseRemoval({ settings }: Volume): never {
    throw new Refused({
      code: 'wrong_state',
      message: `“${settings.name}” is mounted, so it can not be removed from the list.`,
      cause: null,
      advice: 'Unmount it first.',
      retryable: false,
    });
  }

  #changed(): void {
    this.#revision += 1;
    for (const heard of this.#listeners) heard();
  }
}

function made(volume: AddVolume): Volume {
  return volume.add === 'demo' ? demo() : joined(volume.settings);
}
