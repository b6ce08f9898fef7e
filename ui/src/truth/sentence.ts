import type { Truth } from '../bindings/Truth';
import type { Catalogue } from '../locales/en';

/**
 * The sentence that says where the files are.
 *
 * `truth` is what the agent said last; absent when it was not heard within its deadline. Safety is
 * claimed only where the agent claims it.
 */
export function sentence(truth: Truth | undefined, catalogue: Catalogue): string {
  switch (truth?.truth) {
    case 'stored':
      return catalogue.truth.stored;
    case 'only_here':
      return catalogue.truth.onlyHere(truth.files, truth.bytes);
    case 'lost':
      return catalogue.truth.lost(truth.message);
    case 'unknown':
      return catalogue.truth.unknown(truth.message);
    case undefined:
      return catalogue.truth.notConnected;
  }
}
