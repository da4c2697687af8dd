import { Fault, type FaultCode } from './errors.ts';

/** The URI of a port that a process has no use of, and no right to. */
export const NO_PORT = 'none:';

/** Stands where a process has no such port: closing does nothing, every other call is a Fault. */
export function noPort<Port extends object>(port: FaultCode): Port {
  return new Proxy({} as Port, {
    get(_target, name) {
      if (name === 'then') return undefined;
      if (name === 'close') return async () => undefined;
      return () => {
        throw new Fault('configuration', `this process has no ${port}: ${String(name)} was called`);
      };
    },
  });
}
