// Looks at every page of the mock build in every theme and language, and lets axe judge it.
// Screenshots go to the folder that MOORAGE_SCREENSHOTS names, and nowhere when it names none.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { preview } from 'vite';

const PAGES = {
  volumes: '#/volumes',
  welcome: '?empty#/volumes',
  silent: '?silent#/volumes',
  stopped: '?stopped#/volumes',
  join: '#/add/join',
  create: '#/add/create',
  volume: '#/volume/studio',
  'volume-trash': '#/volume/photos/trash',
  'volume-trash-modest': '?modest#/volume/photos/trash',
  'volume-sessions': '#/volume/photos/sessions',
  'volume-files': '#/volume/studio/files',
  'volume-health': '#/volume/photos/health',
  'volume-health-found': '#/volume/studio/health',
  'volume-health-modest': '?modest#/volume/photos/health',
  'volume-options': '#/volume/studio/options',
  'volume-error': '#/volume/clients',
  'volume-gone': '#/volume/nowhere',
  activity: '#/activity',
  'activity-held': '?metered#/activity',
  'settings-held': '?metered#/settings',
  'activity-modest': '?modest#/activity',
  sync: '#/sync',
  'sync-empty': '?empty#/sync',
  'sync-modest': '?modest#/sync',
  'sync-add': '#/sync/add',
  'sync-asking': '#/sync/pictures',
  'sync-failures': '#/sync/music',
  'sync-conflict': '#/sync/documents',
  'sync-gone': '#/sync/nowhere',
  settings: '#/settings',
  diagnostics: '#/diagnostics',
  'diagnostics-silent': '?silent#/diagnostics',
};
const THEMES = ['light', 'dark'];
const LANGUAGES = ['en', 'de'];
/** The narrow window is looked at in the language of the longest words. */
const NARROW_LANGUAGE = 'de';
const WIDTHS = { wide: 1100, narrow: 420 };
/** Milliseconds until what was pressed has to be seen. */
const PATIENCE = 5_000;
const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const screenshots = process.env.MOORAGE_SCREENSHOTS;

const server = await preview({
  configFile: false,
  build: { outDir: 'dist/mock' },
  preview: { host: '127.0.0.1', port: 0 },
  logLevel: 'error',
});
const address = server.resolvedUrls?.local[0];
if (address === undefined) throw new Error('the mock build is served nowhere');
const browser = await chromium.launch({
  executablePath: process.env.MOORAGE_CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
});

let failures = 0;
function fail(text) {
  failures += 1;
  console.error(text);
}

/** Every page as one person sees it. */
async function look(colorScheme, locale, size) {
  const viewport = { width: WIDTHS[size], height: 820 };
  const context = await browser.newContext({ colorScheme, locale, viewport });
  for (const [name, path] of Object.entries(PAGES)) {
    const title = `${name}-${colorScheme}-${locale}-${size}`;
    const page = await context.newPage();
    listenForErrors(page, title);
    await page.goto(address + path);
    await page.getByRole('main').getByRole('heading', { level: 2 }).first().waitFor();
    await judge(page, title);
    await page.close();
  }
  await context.close();
}

function listenForErrors(page, title) {
  page.on('pageerror', (error) => fail(`${title}: ${error}`));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) fail(`${title}: ${message.text()}`);
  });
}

/** Lets axe look at the page, and keeps a picture of it. */
async function judge(page, title) {
  await page.addScriptTag({ path: axe });
  const { violations } = await page.evaluate(() => window.axe.run());
  for (const { id, nodes } of violations) {
    fail(`${title}: ${id}: ${nodes.map((node) => node.html).join('\n  ')}`);
  }
  const wider = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
  if (wider) fail(`${title}: wider than the window`);
  if (screenshots !== undefined) {
    await page.screenshot({ path: join(screenshots, `${title}.png`), fullPage: true });
  }
}

/** A page for one of the walks below. */
async function begin(path, title) {
  const page = await browser.newPage({ locale: 'en' });
  listenForErrors(page, title);
  await page.goto(address + path);
  await page.getByRole('main').getByRole('heading', { level: 2 }).first().waitFor();
  return page;
}

/** From nothing to a mounted volume and back, by pressing what a person presses. */
async function demo() {
  const page = await begin('?empty', 'demo');
  await page.getByRole('button', { name: 'Try a demo volume' }).click();
  await page.getByText('Mounted', { exact: true }).waitFor({ timeout: PATIENCE });
  await page.getByRole('button', { name: 'Unmount' }).click();
  await page.getByText('Stopped', { exact: true }).waitFor({ timeout: PATIENCE });
  await page.getByRole('button', { name: 'Mount', exact: true }).click();
  await page.getByText('Mounted', { exact: true }).waitFor({ timeout: PATIENCE });
  await page.close();
}

/** Tries the computer, reads a log, and the terms of the work of others. */
async function diagnose() {
  const page = await begin('#/diagnostics', 'diagnose');
  await page.getByRole('button', { name: 'Run the self-test' }).click();
  await page.getByText('Mounting, writing and reading it').waitFor({ timeout: PATIENCE });
  await page.getByRole('button', { name: 'Show the log' }).click();
  await page.getByRole('textbox', { name: 'Log', exact: true }).waitFor({ timeout: PATIENCE });
  await page.getByRole('button', { name: 'Show the list' }).press('Enter');
  await page.getByLabel('Name or licence').fill('mit');
  await page.locator('summary', { hasText: 'tokio' }).press('Enter');
  await page.getByText(/^Permission is hereby granted/).waitFor({ timeout: PATIENCE });
  await judge(page, 'diagnostics-used');
  await page.close();
}

/** Joins a volume with keys alone: no press of a mouse is needed anywhere. */
async function joinByKeys() {
  const page = await begin('?empty#/add/join', 'join');
  await page.getByRole('button', { name: 'Add and mount' }).press('Enter');
  await page.getByText('Give it a name.').waitFor({ timeout: PATIENCE });
  await page.getByLabel('Name').first().focus();
  for (const text of ['Papers', 'redis://:secret@server/1']) {
    await page.keyboard.type(text);
    await page.keyboard.press('Tab');
  }
  await page.getByText('The password in the address').waitFor({ timeout: PATIENCE });
  const address = await page.getByLabel('Metadata address').inputValue();
  if (address !== 'redis://server/1') fail(`join: the password can be read in ${address}`);
  const folder = page.getByLabel('Folder');
  if ((await folder.inputValue()) !== '/home/ada/Papers') fail('join: no folder is suggested');
  await judge(page, 'join-filled');
  await page.getByRole('button', { name: 'Test the connection' }).press('Enter');
  await page.getByText('The object store refused the key.').waitFor({ timeout: PATIENCE });
  await judge(page, 'join-tested');
  await page.getByRole('button', { name: 'Add and mount' }).press('Enter');
  await page.getByRole('heading', { name: 'Papers' }).waitFor({ timeout: PATIENCE });
  await page.close();
}

/** What the agent refuses is said where it was asked for, and named for what it is. */
async function refusals() {
  const page = await begin('?modest#/activity', 'refusals');
  await page.getByRole('button', { name: 'For 1 hour' }).click();
  await page.getByText('Not available yet').waitFor({ timeout: PATIENCE });
  await judge(page, 'activity-refused');
  await page.goto(`${address}#/volume/photos/options`);
  await page.getByRole('button', { name: 'Remove from the list' }).click();
  await page.getByRole('button', { name: /^Yes, remove/ }).click();
  await page.getByText('Unmount it first.').waitFor({ timeout: PATIENCE });
  await judge(page, 'volume-removal-refused');
  await page.close();
}

/** Adds a pair with keys alone, once it was seen what would happen; and answers one that asks. */
async function pair() {
  const page = await begin('#/sync/add', 'pair');
  const add = page.getByRole('button', { name: 'Add and start' });
  if (await add.isEnabled()) fail('pair: it can be added unseen');
  await page.getByRole('button', { name: 'Show what would happen' }).press('Enter');
  await page.getByText('Give the whole path of a folder.').waitFor({ timeout: PATIENCE });
  await page.getByLabel('Folder of this computer').focus();
  await page.keyboard.type('/home/ada/Papers');
  await page.getByRole('button', { name: 'Show what would happen' }).press('Enter');
  await page.getByText('34 files').waitFor({ timeout: PATIENCE });
  await judge(page, 'sync-add-seen');
  await add.press('Enter');
  await page.getByRole('heading', { name: '/home/ada/Papers' }).waitFor({ timeout: PATIENCE });
  await page.getByRole('button', { name: 'Choose folders' }).press('Enter');
  await page.getByRole('button', { name: 'Show the folders in “Projects”' }).press('Enter');
  await page.getByLabel('2025').press('Space');
  await page.getByText('All but: Projects/2025').waitFor({ timeout: PATIENCE });
  await judge(page, 'sync-folders');
  await page.goto(`${address}#/sync/documents`);
  await page.getByRole('button', { name: 'Keep the one with the new name' }).press('Enter');
  await judge(page, 'sync-conflict-asked');
  await page.getByRole('button', { name: /^Yes, replace/ }).press('Enter');
  await page
    .getByRole('heading', { name: 'Conflicts' })
    .waitFor({ state: 'detached', timeout: PATIENCE });
  await page.goto(`${address}#/sync/pictures`);
  await page.getByRole('button', { name: 'Remove 640 files' }).press('Enter');
  await page.getByText('Up to date', { exact: true }).waitFor({ timeout: PATIENCE });
  await page.close();
}

/** Restores and deletes what was chosen in the trash, with keys alone; the focus never falls off the page. */
async function trash() {
  const page = await begin('#/volume/photos/trash', 'trash');
  const focused = () => page.evaluate(() => document.activeElement !== document.body);
  await page.getByRole('button', { name: /^Show what was in/ }).press('Enter');
  await page.getByText('/Iceland/day-4/IMG_2302.raw').waitFor({ timeout: PATIENCE });
  await page.getByRole('button', { name: 'Show more' }).press('Enter');
  await page.getByLabel('/notes.md').waitFor({ timeout: PATIENCE });
  for (const name of ['/Iceland/index.html', '/taken.txt', 'scan.pdf']) {
    await page.getByLabel(name).press('Space');
  }
  await judge(page, 'trash-chosen');
  await page.getByRole('button', { name: 'Restore where it was' }).press('Enter');
  await page.getByText(/of 2,400 entries done/).waitFor({ timeout: PATIENCE });
  await judge(page, 'trash-restoring');
  await page.getByText('Something else has its name there now.').waitFor({ timeout: PATIENCE });
  await page.getByText('1 entry restored.').waitFor({ timeout: PATIENCE });
  if (!(await focused())) fail('trash: the focus is lost when something was restored');
  await judge(page, 'trash-restored');
  await page.getByLabel('/taken.txt').press('Space');
  await page.getByRole('button', { name: 'Delete for good' }).first().press('Enter');
  await page.getByRole('button', { name: 'Yes, delete 1 entry for good' }).press('Enter');
  await page.getByText('1 entry deleted for good.').waitFor({ timeout: PATIENCE });
  if (!(await focused())) fail('trash: the focus is lost when something was deleted');
  await page.getByLabel('What goes').selectOption('0');
  await page.getByRole('button', { name: 'Delete for good' }).last().press('Enter');
  await judge(page, 'trash-purge');
  await page.getByRole('button', { name: /^Yes, delete about/ }).press('Enter');
  await page.getByText('The trash is empty.').waitFor({ timeout: PATIENCE });
  if (!(await focused())) fail('trash: the focus is lost when everything was deleted');
  await page.close();
}

/** Checks a volume, repairs it and frees its space, with keys alone; the focus never falls off the page. */
async function health() {
  const page = await begin('#/volume/photos/health', 'health');
  const focused = () => page.evaluate(() => document.activeElement !== document.body);
  const part = (name) => page.getByRole('region', { name, exact: true });
  const check = part('Check');
  const space = part('Free space');
  await check.getByLabel('Read every object too').press('Space');
  await check.getByRole('button', { name: 'Check now' }).press('Enter');
  await check.getByText('The volume is being checked.').waitFor({ timeout: PATIENCE });
  await check.getByRole('progressbar').waitFor({ timeout: 2 * PATIENCE });
  if (!(await focused())) fail('health: the focus is lost when a check begins');
  await judge(page, 'health-checking');
  await check.getByText('4 problems were found').waitFor({ timeout: 2 * PATIENCE });
  if (!(await focused())) fail('health: the focus is lost when a check ends');
  await check.getByRole('button', { name: 'Repair' }).press('Enter');
  await judge(page, 'health-asked');
  await check.getByRole('button', { name: 'Yes, repair' }).press('Enter');
  await check.getByRole('button', { name: 'Cancel' }).press('Enter');
  await check.getByText(/^Cancelled/).waitFor({ timeout: 2 * PATIENCE });
  if (!(await focused())) fail('health: the focus is lost when a repair is cancelled');
  await space.getByRole('button', { name: 'See what can be freed' }).press('Enter');
  await space.getByRole('button', { name: 'Free it' }).waitFor({ timeout: 2 * PATIENCE });
  await space.getByRole('button', { name: 'Free it' }).press('Enter');
  await judge(page, 'health-found');
  await space.getByRole('button', { name: /^Yes, delete/ }).press('Enter');
  await space.getByText(/^Freed/).waitFor({ timeout: 2 * PATIENCE });
  if (!(await focused())) fail('health: the focus is lost when space was freed');
  await judge(page, 'health-freed');
  await page.close();
}

/** The language and the colours that were chosen hold at once. */
async function chosen() {
  const page = await begin('#/settings', 'chosen');
  await page.getByLabel('Language').selectOption('de');
  await page.getByRole('heading', { name: 'Einstellungen' }).waitFor({ timeout: PATIENCE });
  await page.getByLabel('Aussehen').selectOption('dark');
  await page.locator('html[data-theme=dark]').waitFor({ timeout: PATIENCE });
  await judge(page, 'settings-chosen');
  await page.close();
}

try {
  for (const theme of THEMES) {
    for (const language of LANGUAGES) {
      await look(theme, language, 'wide');
      if (language === NARROW_LANGUAGE) await look(theme, language, 'narrow');
    }
  }
  for (const walk of [demo, diagnose, joinByKeys, refusals, pair, trash, health, chosen]) {
    await walk().catch((error) => fail(`${walk.name}: ${error}`));
  }
} finally {
  await browser.close();
  await server.close();
}
process.exitCode = failures === 0 ? 0 : 1;
