import './design/tokens.css';
import './design/page.css';
import { mount } from 'svelte';
import App from './App.svelte';
import type { Transport } from './agent/transport';

/** The way to the agent in this build. */
async function transport(): Promise<Transport> {
  if (import.meta.env.MODE === 'mock') {
    return (await import('./mock/wanted')).wanted(location.search);
  }
  const { follow, tauri } = await import('./agent/tauri');
  follow((address) => {
    location.hash = address;
  });
  return tauri;
}

const target = document.getElementById('app');
if (target === null) throw new Error('the page has no place for the window');
mount(App, {
  target,
  props: { transport: await transport(), languages: navigator.languages },
});
