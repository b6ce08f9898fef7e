import type { AgentStatus } from '../bindings/AgentStatus';
import type { Settings } from '../bindings/Settings';
import type { Volume } from '../bindings/Volume';

/**
 * What somebody who helps needs to know, as JSON.
 *
 * Kinds, states, codes and figures only: no name, address or path, and no text of an error, in which they may stand.
 */
export function report(
  status: AgentStatus,
  volumes: readonly Volume[],
  settings: Settings,
): string {
  const content = {
    product: status.product,
    truth: status.truth.truth,
    pause: status.pause.pause,
    notices: status.notices.map(({ code }) => code),
    settings: {
      language: settings.language,
      theme: settings.theme,
      start_at_login: settings.start_at_login,
      upload_limit: settings.upload_limit,
      download_limit: settings.download_limit,
      secret_store: settings.secret_store,
    },
    volumes: volumes.map(described),
  };
  return JSON.stringify(content, null, 2);
}

function described({ settings, state, truth, figures }: Volume, index: number) {
  const { cache_folder, ...options } = settings.options;
  return {
    volume: index + 1,
    engine: settings.metadata_url.split('://')[0],
    options: { ...options, own_cache_folder: cache_folder !== null },
    state: state.state,
    codes: codes(state),
    truth: truth.truth,
    figures: figures === null ? null : { ...figures, top_readers: figures.top_readers.length },
  };
}

function codes(state: Volume['state']): string[] {
  switch (state.state) {
    case 'unconfigured':
      return [state.reason.code];
    case 'connecting':
      return state.reason === null ? [] : [state.reason.code];
    case 'degraded':
      return state.reasons.map(({ code }) => code);
    case 'error':
      return [state.problem.code];
    case 'unmounting':
      return state.waiting_for === null ? [] : [state.waiting_for.wait];
    case 'stopped':
    case 'mounted':
      return [];
  }
}
