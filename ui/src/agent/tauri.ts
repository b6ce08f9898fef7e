import { invoke } from '@tauri-apps/api/core';
import { listen } from '@tauri-apps/api/event';
import type { Problem } from '../bindings/Problem';
import type { Response } from '../bindings/Response';
import { Refused, type Transport } from './transport';

/** The way through the program that this page is in. */
export const tauri: Transport = {
  ask: (request) => called<Response>('ask', { request }),
  listen(heard) {
    const listening = listen('changed', heard);
    return () => void listening.then((deafen) => deafen());
  },
  open: (id) => called('open_volume', { id }),
  home: () => called<string>('home_folder', {}),
  exportVolume: (id) => called<boolean>('export_volume', { id }),
  saveReport: (text) => called<boolean>('save_report', { text }),
  start: () => called('start_agent', {}),
};

/** Goes to the page that was chosen in the tray. */
export function follow(go: (address: string) => void): void {
  void listen<string>('go', ({ payload }) => go(payload));
}

async function called<Result>(command: string, values: Record<string, unknown>): Promise<Result> {
  try {
    return await invoke<Result>(command, values);
  } catch (reason) {
    if (isProblem(reason) && !unheard.has(reason.code)) throw new Refused(reason);
    throw reason;
  }
}

/** What the program says itself when it does not hear the agent. */
const unheard: ReadonlySet<Problem['code']> = new Set(['unreachable', 'timed_out']);

function isProblem(reason: unknown): reason is Problem {
  return typeof reason === 'object' && reason !== null && 'code' in reason && 'advice' in reason;
}
