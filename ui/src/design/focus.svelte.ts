import { tick, untrack } from 'svelte';

/** Keeps the focus in a place whose content changes: whoever goes by keys goes on where they were. Call it while a component is made. */
export function keepFocus(place: () => HTMLElement | undefined, changes: () => unknown): void {
  $effect.pre(() => {
    changes();
    const focused = untrack(() => place()?.contains(document.activeElement) ?? false);
    if (focused) void stay();
  });

  async function stay() {
    await tick();
    const now = place();
    // What was focused may be gone by now.
    if (!(now?.contains(document.activeElement) ?? true)) now?.focus();
  }
}
