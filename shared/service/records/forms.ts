/**
 * The stored form of a deployment: a whole number over all of its records, which says what may be written. A release reads
 * every form up to its newest, and writes the one in force. Where it brings a new one, old and new processes run side by side on
 * the old one until somebody activates the new one (service/upgrade/, docs/upgrades.md); a new deployment begins with the newest.
 *
 * History: 1 is the form of release 0.1.0.
 */
export const NEWEST_FORM = 1;

/** The form that a deployment which this process has open writes. */
export interface HeldForm {
  /** A form that came into force; one that is lower changes nothing, since a form never goes back. */
  raise(form: number): void;
  release(): void;
}

const held = new Map<symbol, number>();
let inForce = NEWEST_FORM;

/** Says which form the records of this process are to be written in, until it is released. */
export function holdForm(form: number): HeldForm {
  const name = Symbol('deployment');
  const set = (to: number) => {
    held.set(name, to);
    inForce = Math.min(...held.values());
  };
  set(form);
  return {
    raise(to) {
      const before = held.get(name);
      if (before !== undefined && to > before) set(to);
    },
    release() {
      held.delete(name);
      inForce = held.size === 0 ? NEWEST_FORM : Math.min(...held.values());
    },
  };
}

/**
 * The form to write: of several deployments that one process has open, the lowest, which all of them read. A process that has
 * none open, such as a test of a record by itself, writes the newest.
 */
export const formInForce = (): number => inForce;
