import { Refused, type Transport } from '../agent/transport';
import type { MockAgent } from './agent';

/** An agent that a person ended; it answers once it is started. */
export function stopped(agent: MockAgent): Transport {
  let runs = false;
  const ended = () =>
    Promise.reject(
      new Refused({
        code: 'agent_stopped',
        message: 'the agent was stopped',
        cause: null,
        advice: 'Start it again; mounted volumes stayed mounted.',
        retryable: false,
      }),
    );
  return {
    ask: (request) => (runs ? agent.ask(request) : ended()),
    listen: (heard) => agent.listen(heard),
    open: (id) => (runs ? agent.open(id) : ended()),
    home: () => agent.home(),
    exportVolume: (id) => (runs ? agent.exportVolume(id) : ended()),
    saveReport: () => agent.saveReport(),
    start: () => {
      runs = true;
      return Promise.resolve();
    },
  };
}
