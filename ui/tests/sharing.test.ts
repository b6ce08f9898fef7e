import { render, screen } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { describe, expect, it } from 'vitest';
import { AgentStore } from '../src/agent/store.svelte';
import type { Request } from '../src/bindings/Request';
import type { VolumeFile } from '../src/bindings/VolumeFile';
import { adding, blank, filledFrom, folderFor } from '../src/forms/adding';
import { en } from '../src/locales/en';
import { MockAgent } from '../src/mock/agent';
import { volumes } from '../src/mock/volumes';
import AddVolume from '../src/pages/AddVolume.svelte';
import VolumeExport from '../src/pages/VolumeExport.svelte';

const file: VolumeFile = {
  name: 'Photos',
  uuid: '0f2a9c1e-9d3b-4a57-8a10-5d4f3c2b1a00',
  metadata_url: 'redis://me@db.example.org/1',
  options: {
    mount_at_start: false,
    read_only: true,
    write_back: true,
    cache_size: 5,
    cache_folder: null,
    upload_limit: 7_000_000,
    download_limit: null,
  },
  needs: { metadata_password: true, key_passphrase: false },
};

/** An agent that remembers what was added, and whether a file is chosen in dialogs. */
class Asked extends MockAgent {
  added: Request[] = [];
  chosen = true;
  override ask(request: Request) {
    if (request.request === 'volume_add') this.added.push(request);
    return super.ask(request);
  }
  override exportVolume() {
    return Promise.resolve(this.chosen);
  }
}

describe('a form that a volume file filled in', () => {
  it('asks for the volume of the file, as it was mounted there', () => {
    const volume = adding('join', { ...filledFrom(file, blank()), folder: '/p', password: 'x' });
    expect(volume).toMatchObject({
      add: 'join',
      uuid: file.uuid,
      settings: { metadata_url: file.metadata_url, options: file.options },
      secrets: { metadata_password: 'x' },
    });
  });

  it('means another volume once the address is changed', () => {
    const filled = { ...filledFrom(file, blank()), url: 'redis://other/1' };
    expect(adding('join', filled)).toMatchObject({ uuid: null });
  });

  it.each([
    ['Photos', '/home/ada/Photos'],
    ['../../etc', '/home/ada/-..-etc'],
    ['..', ''],
    ['.ssh', '/home/ada/ssh'],
    ['a\\b\n', '/home/ada/a-b'],
    ['', ''],
  ])('suggests a folder in the home of the person: %j', (name, folder) => {
    expect(folderFor('/home/ada', name)).toBe(folder);
  });
});

describe('joining by a file', () => {
  async function choose(content: string) {
    const agent = new Asked();
    const store = new AgentStore(agent);
    await store.refresh();
    render(AddVolume, { words: en, store, way: 'join' });
    const person = userEvent.setup();
    await person.upload(screen.getByLabelText(en.add.file), new File([content], 'photos.json'));
    return { agent, person };
  }

  it('asks for the password that is missing before anything is added', async () => {
    const { agent, person } = await choose(JSON.stringify(file));
    await screen.findByText(en.add.fileRead);
    expect(screen.getByLabelText(/^Metadata address/)).toHaveValue(file.metadata_url);
    const join = screen.getByRole('button', { name: en.add.joinNow });
    await person.click(join);
    expect(screen.getByText(en.add.secretProblem)).toBeInTheDocument();
    expect(agent.added).toEqual([]);
    await person.type(screen.getByLabelText(/^Password of the database/), 'secret');
    await person.click(join);
    await expect.poll(() => agent.added.length).toBe(1);
    expect(agent.added[0]).toMatchObject({ volume: { add: 'join', uuid: file.uuid } });
  });

  it('says what is wrong with a file that is none, and fills in nothing', async () => {
    await choose('hello');
    expect(await screen.findByText(/This is no volume file/)).toBeInTheDocument();
    expect(screen.getByLabelText(/^Metadata address/)).toHaveValue('');
  });
});

describe('a volume that is exported', () => {
  const [volume] = volumes();
  if (volume === undefined) throw new Error('no example');

  it.each([
    [true, 1],
    [false, 0],
  ])('is said to be written only when a file was chosen: %s', async (chosen, said) => {
    const agent = new Asked();
    agent.chosen = chosen;
    render(VolumeExport, { words: en, store: new AgentStore(agent), volume });
    await userEvent.click(screen.getByRole('button', { name: en.volume.export }));
    expect(screen.queryAllByText(en.volume.exported)).toHaveLength(said);
  });

  it('says that a database in a file stays on this computer', () => {
    render(VolumeExport, { words: en, store: new AgentStore(new Asked()), volume });
    expect(screen.getByText(en.volume.exportLocal)).toBeInTheDocument();
  });
});
