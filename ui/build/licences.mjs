import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath, URL } from 'node:url';

/** What pages import. */
const NAME = 'virtual:licences';
/** Bytes of the list at most; it has about one million. */
const LARGEST = 32 << 20;

function path(relative) {
  return fileURLToPath(new URL(relative, import.meta.url));
}

/**
 * Gives the pages the list of the work of others that is in Moorage, as `virtual:licences`; other
 * builds than that of the product get a sample. Fails when something is built into the pages that
 * the list does not know.
 */
export function licences() {
  let product = false;
  return {
    name: 'moorage-licences',
    configResolved({ command, mode }) {
      product = command === 'build' && mode === 'production';
    },
    resolveId(id) {
      if (id !== NAME) return undefined;
      return product ? `\0${NAME}` : path('../src/mock/licences.ts');
    },
    load(id) {
      if (id !== `\0${NAME}`) return undefined;
      const list = execFileSync('cargo', ['xtask', 'licences'], {
        cwd: path('../..'),
        encoding: 'utf8',
        maxBuffer: LARGEST,
      });
      return `export default JSON.parse(${JSON.stringify(list)});`;
    },
    generateBundle(_, bundle) {
      const known = new Set(JSON.parse(readFileSync(path('../shipped.json'), 'utf8')));
      for (const part of Object.values(bundle)) {
        for (const module of Object.keys(part.modules ?? {})) {
          const owner = packageOf(module);
          if (owner !== undefined && !known.has(owner)) {
            this.error(`${owner} is built into the pages and not named in shipped.json`);
          }
        }
      }
    },
  };
}

/** The package that a file belongs to; absent for files of our own. */
function packageOf(module) {
  return /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//u.exec(module)?.[1];
}
