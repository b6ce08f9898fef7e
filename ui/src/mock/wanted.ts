import { unreachable, type Transport } from '../agent/transport';
import { MockAgent } from './agent';

/** The mock agent that the address asks for: `?empty` has no volumes, `?silent` is none, `?modest` offers less. */
export function wanted(search: string): Transport {
  const words = new URLSearchParams(search);
  if (words.has('silent')) return unreachable;
  const agent = words.has('empty') ? new MockAgent([]) : new MockAgent();
  agent.modest = words.has('modest');
  agent.run();
  return agent;
}
