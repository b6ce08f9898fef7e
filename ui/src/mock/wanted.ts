import { unreachable, type Transport } from '../agent/transport';
import { MockAgent } from './agent';
import { stopped } from './stopped';

/**
 * The mock agent that the address asks for: `?empty` has no volumes, `?silent` is none, `?stopped` was ended, `?modest`
 * offers less, `?metered` holds transfers on a metered connection.
 */
export function wanted(search: string): Transport {
  const words = new URLSearchParams(search);
  if (words.has('silent')) return unreachable;
  const agent = words.has('empty') ? new MockAgent([]) : new MockAgent();
  agent.modest = words.has('modest');
  if (words.has('metered')) agent.hold();
  agent.run();
  return words.has('stopped') ? stopped(agent) : agent;
}
