import type { AddVolume } from '../bindings/AddVolume';
import type { AgentStatus } from '../bindings/AgentStatus';
import type { Checklist } from '../bindings/Checklist';
import type { LogEnd } from '../bindings/LogEnd';
import type { Request } from '../bindings/Request';
import type { Response } from '../bindings/Response';
import type { SecretStoreStatus } from '../bindings/SecretStoreStatus';
import type { Settings } from '../bindings/Settings';
import type { SyncPair } from '../bindings/SyncPair';
import type { Transfer } from '../bindings/Transfer';
import type { TransferId } from '../bindings/TransferId';
import type { Truth } from '../bindings/Truth';
import type { Volume } from '../bindings/Volume';
import type { VolumeFile } from '../bindings/VolumeFile';
import type { VolumeId } from '../bindings/VolumeId';
import type { VolumeSecrets } from '../bindings/VolumeSecrets';
import type { VolumeSettings } from '../bindings/VolumeSettings';
import { ask } from './client';
import { isNotOffered, isStopped } from './explain';
import type { Transport } from './transport';

/** Milliseconds between two looks at the agent; an event brings news earlier. */
export const HEARTBEAT = 2_000;
/** Milliseconds that an answer may take; after them nothing is claimed any more. */
export const DEADLINE = 5_000;
/** Milliseconds that a mount or unmount may take before the person is told that it hangs. */
export const ACTION_DEADLINE = 60_000;
/** Milliseconds that making a volume or trying a connection may take: its servers are asked. */
export const ADDING_DEADLINE = 160_000;
/** Milliseconds that trying this computer may take: a volume is made and mounted, and each step may take a minute. */
const SELF_TEST_DEADLINE = 260_000;
/** Lines of a log that are asked for: as many as the agent gives. */
const LOG_LINES = 500;

/** What was heard in one look. */
interface Heard {
  status: AgentStatus;
  volumes: readonly Volume[];
  settings: Settings;
  secretStore: SecretStoreStatus;
  transfers: readonly Transfer[] | 'not_offered';
  pairs: SyncPair[] | 'not_offered';
}

/** What the window knows of the agent, and only for as long as it hears from it. */
export class AgentStore {
  #transport: Transport;
  #heard: Heard | undefined = $state.raw();
  #stopped = $state(false);
  #refreshing = false;
  #again = false;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Whether the last look at the agent was answered within {@link DEADLINE}. */
  get connected(): boolean {
    return this.#heard !== undefined;
  }

  /** Whether nothing is heard because a person ended the agent. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** How the agent is doing; absent while not connected, as all the others. */
  get status(): AgentStatus | undefined {
    return this.#heard?.status;
  }

  /** Whether the files are stored. */
  get truth(): Truth | undefined {
    return this.#heard?.status.truth;
  }

  /** The volumes in the person's order. */
  get volumes(): readonly Volume[] | undefined {
    return this.#heard?.volumes;
  }

  /** What the person chose. */
  get settings(): Settings | undefined {
    return this.#heard?.settings;
  }

  /** Where passwords are kept. */
  get secretStore(): SecretStoreStatus | undefined {
    return this.#heard?.secretStore;
  }

  /** What is on its way, the newest first; or that this agent does not know single transfers. */
  get transfers(): Heard['transfers'] | undefined {
    return this.#heard?.transfers;
  }

  /** Folders that are kept in sync; or that this agent keeps none. */
  get pairs(): Heard['pairs'] | undefined {
    return this.#heard?.pairs;
  }

  /** Looks and listens until the returned function is called. */
  start(): () => void {
    const timer = setInterval(() => void this.refresh(), HEARTBEAT);
    const deafen = this.#transport.listen(() => void this.refresh());
    void this.refresh();
    return () => {
      clearInterval(timer);
      deafen();
    };
  }

  /** Asks for everything; what was heard before is dropped when that fails. */
  async refresh(): Promise<void> {
    if (this.#refreshing) {
      this.#again = true;
      return;
    }
    this.#refreshing = true;
    try {
      const [{ status }, { volumes }, { settings, secret_store }, transfers, pairs] =
        await Promise.all([
          ask(this.#transport, { request: 'agent_status' }, 'agent', DEADLINE),
          ask(this.#transport, { request: 'volumes' }, 'volumes', DEADLINE),
          ask(this.#transport, { request: 'settings' }, 'settings', DEADLINE),
          this.#transfers(),
          this.#pairs(),
        ]);
      this.#heard = { status, volumes, settings, secretStore: secret_store, transfers, pairs };
      this.#stopped = false;
    } catch (reason) {
      this.#heard = undefined;
      this.#stopped = isStopped(reason);
    } finally {
      this.#refreshing = false;
    }
    if (this.#again) {
      this.#again = false;
      await this.refresh();
    }
  }

  /** Mounts the volume `id`; settles as soon as it connects. */
  async mount(id: VolumeId): Promise<void> {
    await this.#change({ request: 'volume_mount', id }, 'volume');
  }

  /** Unmounts the volume `id`; settles as soon as it is under way. `lazy` takes it away from those who hold it. */
  async unmount(id: VolumeId, lazy = false): Promise<void> {
    await this.#change({ request: 'volume_unmount', id, lazy }, 'volume');
  }

  /** Adds a volume, made before where that is asked for; it is not mounted yet. */
  async add(volume: AddVolume): Promise<VolumeId> {
    const request: Request = { request: 'volume_add', volume };
    return (await this.#change(request, 'volume', ADDING_DEADLINE)).volume.id;
  }

  /** Adds a volume with nothing to fill in, and mounts it. */
  async addDemo(): Promise<void> {
    await this.mount(await this.add({ add: 'demo' }));
  }

  /** Tries what a volume would need, without adding it. */
  async test(volume: AddVolume): Promise<Checklist> {
    const request: Request = { request: 'connection_test', volume };
    return (await ask(this.#transport, request, 'checklist', ADDING_DEADLINE)).checklist;
  }

  /** Tries what this computer has to offer. */
  async testComputer(): Promise<Checklist> {
    const request: Request = { request: 'self_test' };
    return (await ask(this.#transport, request, 'checklist', SELF_TEST_DEADLINE)).checklist;
  }

  /** The end of the log of a volume's mount, or of the agent. */
  async log(volume: VolumeId | null): Promise<LogEnd> {
    const request: Request = { request: 'log', volume, lines: LOG_LINES };
    return (await ask(this.#transport, request, 'log', ACTION_DEADLINE)).log;
  }

  /** Changes how a volume is mounted, from its next mount on. */
  async changeVolume(id: VolumeId, settings: VolumeSettings): Promise<void> {
    await this.#change({ request: 'volume_change', id, settings }, 'volume');
  }

  /** Gives the secrets of a volume, all of them. */
  async giveSecrets(id: VolumeId, secrets: VolumeSecrets): Promise<void> {
    await this.#change({ request: 'volume_secrets', id, secrets }, 'done');
  }

  /** Opens the place where secrets are kept; a keyring asks the person by itself. */
  async unlockSecrets(passphrase: string | null): Promise<void> {
    await this.#change({ request: 'secret_store_unlock', passphrase }, 'settings');
  }

  /** Takes a volume off the list; its data stays. */
  async remove(id: VolumeId): Promise<void> {
    await this.#change({ request: 'volume_remove', id }, 'done');
  }

  /** Changes what the person chose. */
  async changeSettings(changes: Partial<Settings>): Promise<void> {
    const { settings } = await ask(this.#transport, { request: 'settings' }, 'settings', DEADLINE);
    const request: Request = { request: 'settings_change', settings: { ...settings, ...changes } };
    await this.#change(request, 'settings');
  }

  /** Holds uploads, and downloads that nobody waits for, for some seconds or until resumed. */
  async pause(seconds: number | null): Promise<void> {
    await this.#change({ request: 'pause', seconds }, 'pause');
  }

  /** Ends the pause. */
  async resume(): Promise<void> {
    await this.#change({ request: 'resume' }, 'pause');
  }

  /** Tries a failed transfer again. */
  async retry(id: TransferId): Promise<void> {
    await this.#change({ request: 'transfer_retry', id }, 'done');
  }

  /** Gives a transfer up. */
  async cancel(id: TransferId): Promise<void> {
    await this.#change({ request: 'transfer_cancel', id }, 'done');
  }

  /** Shows the folder of a volume in the file manager. */
  open(id: VolumeId): Promise<void> {
    return this.#transport.open(id);
  }

  /** The person's own folder. */
  home(): Promise<string> {
    return this.#transport.home();
  }

  /** Writes what another computer joins a volume by to a file that the person chooses; whether one was chosen. */
  exportVolume(id: VolumeId): Promise<boolean> {
    return this.#transport.exportVolume(id);
  }

  /** Writes a report to a file that the person chooses; whether one was chosen. */
  saveReport(text: string): Promise<boolean> {
    return this.#transport.saveReport(text);
  }

  /** What the text of a volume file says; nothing is added. */
  async readVolumeFile(text: string): Promise<VolumeFile> {
    const request: Request = { request: 'volume_file_read', text };
    return (await ask(this.#transport, request, 'volume_file', DEADLINE)).file;
  }

  /** Has the agent started that a person ended; this window is connected as soon as it answers. */
  async startAgent(): Promise<void> {
    await this.#transport.start();
    void this.refresh();
  }

  /** Asks for a change that this class has no name for, and looks at what came of it. */
  act<Kind extends Response['response']>(
    request: Request,
    expected: Kind,
    deadline?: number,
  ): Promise<Extract<Response, { response: Kind }>> {
    return this.#change(request, expected, deadline);
  }

  /** Asks for something that no look at the agent holds; nothing changes by it. */
  read<Kind extends Response['response']>(
    request: Request,
    expected: Kind,
    deadline: number,
  ): Promise<Extract<Response, { response: Kind }>> {
    return ask(this.#transport, request, expected, deadline);
  }

  async #pairs(): Promise<Heard['pairs']> {
    try {
      return (await ask(this.#transport, { request: 'sync_pairs' }, 'sync_pairs', DEADLINE)).pairs;
    } catch (reason) {
      if (isNotOffered(reason)) return 'not_offered';
      throw reason;
    }
  }

  async #transfers(): Promise<Heard['transfers']> {
    try {
      const request: Request = { request: 'transfers' };
      return (await ask(this.#transport, request, 'transfers', DEADLINE)).transfers;
    } catch (reason) {
      if (isNotOffered(reason)) return 'not_offered';
      throw reason;
    }
  }

  /** Asks for a change, and looks at what came of it. */
  async #change<Kind extends Response['response']>(
    request: Request,
    expected: Kind,
    deadline = ACTION_DEADLINE,
  ): Promise<Extract<Response, { response: Kind }>> {
    try {
      return await ask(this.#transport, request, expected, deadline);
    } finally {
      void this.refresh();
    }
  }
}
